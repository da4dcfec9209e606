//! What every handler works with, and the bridge from asynchronous HTTP to synchronous units of work.

use std::sync::Arc;

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_base::text::Texts;
use kaname_store::{Bucket, Store, StoreError, Tx};
use kaname_trust::Keys;
use tokio::sync::oneshot;

/// The state of a serving program. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

/// What an [`App`] is made of.
pub struct Inner {
    /// The store.
    pub store: Store,
    /// The keys.
    pub keys: Keys,
    /// The country pack.
    pub pack: Pack,
    /// The program's texts with the pack's own on top.
    pub texts: Texts,
    /// The address by which browsers and relying parties know us, without a slash at the end.
    pub issuer: String,
    /// Time and dice: one environment for each unit of work.
    pub env: fn() -> Env,
}

impl App {
    /// An app of these parts.
    pub fn new(parts: Inner) -> App {
        App { inner: Arc::new(parts) }
    }

    /// Runs a unit of work that may change `bucket`, without holding a thread of the web floor.
    ///
    /// # Errors
    /// What `work` refuses; [`StoreError::Busy`] at once when too much work waits.
    pub async fn write<T, E, W>(&self, bucket: Bucket, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
    {
        let (send, receive) = oneshot::channel();
        self.store.submit_write(bucket, work, move |answer| drop(send.send(answer)))?;
        receive.await.unwrap_or_else(|_| Err(StoreError::Crashed.into()))
    }

    /// Runs a unit of work that only reads `bucket`.
    ///
    /// # Errors
    /// As [`App::write`].
    pub async fn read<T, E, W>(&self, bucket: Bucket, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
    {
        let (send, receive) = oneshot::channel();
        self.store.submit_read(bucket, work, move |answer| drop(send.send(answer)))?;
        receive.await.unwrap_or_else(|_| Err(StoreError::Crashed.into()))
    }

    /// The environment of one unit of work that begins now.
    pub fn env(&self) -> Env {
        (self.inner.env)()
    }
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}
