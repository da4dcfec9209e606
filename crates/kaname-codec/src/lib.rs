//! kaname-codec
