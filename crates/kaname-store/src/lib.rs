//! kaname-store
