//! kaname-trust
