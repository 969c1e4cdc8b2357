//! Loading a library and finding its functions.

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::c_int;
use std::fmt;
use std::path::{Path, PathBuf};

/// Names the folder to load the vendor's libraries from; without it the loader's own places are
/// searched.
pub const FOLDER_VARIABLE: &str = "FRAMELANE_HOBOT_DIR";

/// `RTLD_NODELETE`: the libraries have threads of their own, which unloading would pull the code
/// away from.
const KEPT: c_int = 0x1000;

/// A library or a function that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

/// A loaded library, never unloaded.
pub(crate) struct Loaded {
    library: Library,
    path: PathBuf,
}

impl Loaded {
    /// Loads the first of `names` there is: in `folder`, else in the one that the environment
    /// names, else where the loader looks.
    pub(crate) fn open(names: &[&str], folder: Option<&Path>) -> Result<Self, LoadError> {
        let from_environment = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
        let folder = folder.map(Path::to_owned).or(from_environment);
        let mut reasons = Vec::new();
        for name in names {
            let path = folder.as_ref().map_or(PathBuf::from(name), |folder| folder.join(name));
            // SAFETY: loading runs the library's initialisers. They are the vendor's, from a
            // place that only whoever runs this program can choose.
            match unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL | KEPT) } {
                Ok(library) => return Ok(Loaded { library, path }),
                Err(error) => reasons.push(error.to_string()),
            }
        }
        let text = format!("{} cannot be loaded: {}", names[0], reasons.join("; "));
        Err(LoadError(text))
    }

    /// The address of a function as the type `F`, if the library has it.
    ///
    /// # Safety
    /// `F` is the function's type.
    pub(crate) unsafe fn find<F: Copy>(&self, symbol: &str) -> Option<F> {
        // SAFETY: promised by the caller.
        unsafe { self.library.get::<F>(symbol.as_bytes()) }.ok().map(|found| *found)
    }

    /// The error for a function that the library has not.
    pub(crate) fn missing(&self, symbol: &str) -> LoadError {
        LoadError(format!("{} has no function {symbol}", self.path.display()))
    }
}

/// Declares a library as a table of its functions, each behind a method that gives it or names
/// what is missing.
macro_rules! library {
    (
        $(#[$about:meta])*
        $table:ident, $names:expr;
        $( $(#[$what:meta])* fn $symbol:ident($($name:ident: $kind:ty),*) $(-> $gives:ty)?; )*
    ) => {
        $(#[$about])*
        #[allow(non_snake_case, reason = "names as C knows them")]
        pub struct $table {
            loaded: $crate::load::Loaded,
            $( $symbol: Option<unsafe extern "C" fn($($kind),*) $(-> $gives)?>, )*
        }

        impl $table {
            /// Loads the library, from `folder` where one is given.
            ///
            /// # Errors
            /// Says which library is not there, and why.
            pub fn open(folder: Option<&std::path::Path>) -> Result<Self, $crate::LoadError> {
                let loaded = $crate::load::Loaded::open($names, folder)?;
                Ok($table {
                    // SAFETY: the types are those of the vendor's headers.
                    $( $symbol: unsafe { loaded.find(stringify!($symbol)) }, )*
                    loaded,
                })
            }

            /// Functions of it that the loaded library has not.
            pub fn missing(&self) -> Vec<&'static str> {
                let all = [$( (stringify!($symbol), self.$symbol.is_some()) ),*];
                all.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
            }

            $(
                $(#[$what])*
                ///
                /// # Errors
                /// Says which library lacks it.
                #[allow(clippy::type_complexity, reason = "the type of a C function")]
                pub fn $symbol(
                    &self,
                ) -> Result<unsafe extern "C" fn($($kind),*) $(-> $gives)?, $crate::LoadError> {
                    self.$symbol.ok_or_else(|| self.loaded.missing(stringify!($symbol)))
                }
            )*
        }
    };
}
pub(crate) use library;
