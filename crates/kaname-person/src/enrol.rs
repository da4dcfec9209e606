//! Offline enrolment: people are entered where there is no network, and join the register later.
//!
//! A deployment makes a [`kit`] for one officer and some days. With it, on a laptop, she makes [`packet`]s: what she entered is
//! checked against the country's rules, encrypted for the authority, and signed. Any time later, and in any order, the packets are
//! [`merge`]d: each goes through the same registration as at a counter, under an id of its own, so that twice is once; one whose person looks like
//! a resident waits for an officer's decision. A kit counts
//! its packets, so that a lost one shows. The form of a packet is in docs/enrolment.md.

pub mod kit;
pub mod merge;
pub mod packet;
mod table;

kaname_base::id_types! {
    /// An enrolment kit.
    KitId(KitIdKind) = "kit";
}
