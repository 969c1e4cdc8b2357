//! Words that no field, value or namespace may be called, whatever the language.

/// True for a keyword of any target language.
pub fn is_keyword(word: &str) -> bool {
    [RUST, C, CPP, PYTHON, GO, KOTLIN].iter().any(|list| list.split_whitespace().any(|w| w == word))
}

const RUST: &str = "
    as async await break const continue crate dyn else enum extern false fn for if impl in let
    loop match mod move mut pub ref return self Self static struct super trait true type
    unsafe use where while abstract become box do final gen macro override priv try typeof
    unsized virtual yield";

const C: &str =
    "auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while alignas alignof bool constexpr false nullptr static_assert
    thread_local true typeof";

const CPP: &str = "
    and and_eq asm bitand bitor catch class compl concept const_cast consteval constinit
    co_await co_return co_yield decltype delete dynamic_cast explicit export friend mutable
    namespace new noexcept not not_eq operator or or_eq private protected public
    reinterpret_cast requires static_cast template this throw try typeid typename using
    virtual wchar_t xor xor_eq";

const PYTHON: &str = "
    False None True and as assert async await break class continue def del elif else except
    finally for from global if import in is lambda nonlocal not or pass raise return try while
    with yield";

const GO: &str =
    "break case chan const continue default defer else fallthrough for func go goto if import
    interface map package range return select struct switch type var";

const KOTLIN: &str =
    "as break class continue do else false for fun if in interface is null object package
    return super this throw true try typealias typeof val var when while";
