//! Probe of the C++ that flatc prints.

use super::c_family::{self, Dialect};
use crate::model::{Enum, EnumValue, Field, Schema};

/// A program that includes flatc's `framelane_generated.h`.
pub fn print(schema: &Schema) -> String {
    let namespace = schema.structs.first().map(|one| one.namespace.replace('.', "::"));
    c_family::print(schema, &Flatc { namespace: namespace.unwrap_or_default() })
}

struct Flatc {
    namespace: String,
}

impl Dialect for Flatc {
    fn head(&self) -> String {
        "#include \"framelane_generated.h\"\n".to_owned()
    }

    fn type_name(&self, name: &str) -> String {
        format!("{}::{name}", self.namespace)
    }

    fn get(&self, variable: &str, field: &Field) -> String {
        match field.count {
            Some(_) => format!("{variable}->{}()->Get(i)", field.name),
            None => format!("{variable}->{}()", field.name),
        }
    }

    fn copy(&self, field: &Field) -> String {
        let value = self.get("from", field);
        match field.count {
            Some(_) => format!("to->mutable_{}()->Mutate(i, {value});", field.name),
            None => format!("to->mutate_{}({value});", field.name),
        }
    }

    fn inner(&self, variable: &str, field: &Field) -> String {
        match field.count {
            Some(_) => format!("{variable}->{}()->Get(i)", field.name),
            None => format!("&{variable}->{}()", field.name),
        }
    }

    fn inner_mut(&self, variable: &str, field: &Field) -> String {
        match field.count {
            Some(_) => format!("{variable}->mutable_{}()->GetMutablePointer(i)", field.name),
            None => format!("&{variable}->mutable_{}()", field.name),
        }
    }

    fn number(&self, item: &Enum, value: &EnumValue) -> String {
        format!("{}::{}::{}", self.namespace, item.name, value.name)
    }
}
