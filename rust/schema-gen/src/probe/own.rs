//! Probes of the C and the C++ header.

use super::c_family::{self, Dialect};
use crate::model::{Enum, EnumValue, Field, Schema};
use crate::print::c::{field_name, number_name, struct_name};
use crate::print::cpp;

/// A program in C that is also C++.
pub fn c(schema: &Schema) -> String {
    c_family::print(schema, &Own { cpp: false })
}

/// A program in C++.
pub fn cpp(schema: &Schema) -> String {
    c_family::print(schema, &Own { cpp: true })
}

struct Own {
    cpp: bool,
}

fn element(field: &Field) -> &'static str {
    if field.count.is_some() { "[i]" } else { "" }
}

impl Dialect for Own {
    fn head(&self) -> String {
        let header = if self.cpp { "framelane_layout.hpp" } else { "framelane_layout.h" };
        format!("#include \"{header}\"\n")
    }

    fn type_name(&self, name: &str) -> String {
        if self.cpp { format!("framelane::layout::{name}") } else { struct_name(name) }
    }

    fn get(&self, variable: &str, field: &Field) -> String {
        format!("{variable}->{}{}", field_name(field), element(field))
    }

    fn copy(&self, field: &Field) -> String {
        format!("{} = {};", self.get("to", field), self.get("from", field))
    }

    fn inner(&self, variable: &str, field: &Field) -> String {
        format!("&{}", self.get(variable, field))
    }

    fn inner_mut(&self, variable: &str, field: &Field) -> String {
        self.inner(variable, field)
    }

    fn number(&self, item: &Enum, value: &EnumValue) -> String {
        if self.cpp {
            format!("framelane::layout::{}", cpp::number_name(item, value))
        } else {
            number_name(item, value)
        }
    }
}
