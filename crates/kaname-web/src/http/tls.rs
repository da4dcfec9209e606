//! TLS on loopback: a certificate authority of the deployment's own, whose file clients can trust.
//!
//! Several client libraries refuse plain http. A deployment behind a public name puts a proxy or its own certificate in front.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The files in a deployment's `tls` folder.
pub struct TlsFiles {
    folder: PathBuf,
}

impl TlsFiles {
    /// The files in `folder`; made by [`TlsFiles::create`] when missing.
    pub fn new(folder: &Path) -> TlsFiles {
        TlsFiles { folder: folder.to_owned() }
    }

    /// The authority's certificate: what clients trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Makes an authority and a server certificate for `localhost`, `127.0.0.1` and `::1`, unless they are there. The authority's key is
    /// not kept: nobody can sign another certificate with it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn create(&self) -> io::Result<()> {
        if self.folder.join("server.pem").exists() {
            return Ok(());
        }
        let failed = |error: rcgen::Error| io::Error::other(error.to_string());
        let authority_key = KeyPair::generate().map_err(failed)?;
        let mut authority = CertificateParams::new(Vec::new()).map_err(failed)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.distinguished_name.push(DnType::CommonName, "Kaname loopback authority");
        let authority_certificate = authority.self_signed(&authority_key).map_err(failed)?;

        let server_key = KeyPair::generate().map_err(failed)?;
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut server = CertificateParams::new(names).map_err(failed)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.distinguished_name.push(DnType::CommonName, "localhost");
        let issuer = Issuer::new(authority, authority_key);
        let certificate = server.signed_by(&server_key, &issuer).map_err(failed)?;

        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(self.authority(), authority_certificate.pem())?;
        write_owner_only(&self.folder.join("server.key"), server_key.serialize_pem().as_bytes())?;
        std::fs::write(self.folder.join("server.pem"), certificate.pem())
    }

    /// The configuration that serves with these files.
    ///
    /// # Errors
    /// When a file is missing or not what it should be.
    pub fn server_config(&self) -> io::Result<Arc<ServerConfig>> {
        let unreadable = |error: rustls::pki_types::pem::Error| io::Error::other(error.to_string());
        let chain = CertificateDer::pem_file_iter(self.folder.join("server.pem"))
            .map_err(unreadable)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_file(self.folder.join("server.key")).map_err(unreadable)?;
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| io::Error::other(error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn write_owner_only(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}
