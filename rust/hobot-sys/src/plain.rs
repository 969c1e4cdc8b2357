//! Structs of the interface, with their layouts asserted.

/// Derives what every plain struct of the interface is, and asserts size and offsets.
macro_rules! plain {
    (
        $(#[$about:meta])* $name:ident, $size:literal {
            $( $(#[$what:meta])* $field:ident: $kind:ty = $offset:literal, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        #[derive(zerocopy::FromBytes, zerocopy::IntoBytes)]
        #[derive(zerocopy::Immutable, zerocopy::KnownLayout)]
        #[repr(C)]
        #[allow(missing_docs, reason = "the vendor's fields, described in its manual")]
        pub struct $name { $( $(#[$what])* pub $field: $kind, )* }

        impl $name {
            /// All bytes zero.
            pub fn zeroed() -> Self {
                <Self as zerocopy::FromZeros>::new_zeroed()
            }
        }

        const _: () = {
            assert!(std::mem::size_of::<$name>() == $size);
            $( assert!(std::mem::offset_of!($name, $field) == $offset); )*
        };
    };
}
pub(crate) use plain;
