//! What the probes in C and C++ have in common: they differ in how a field is read and written.

use std::fmt::Write as _;

use crate::model::{Base, Enum, EnumValue, Field, Schema, Struct};

/// How one flavour of code reaches the fields behind `v` (const), `from` (const) and `to`.
pub trait Dialect {
    /// Includes and whatever else comes first.
    fn head(&self) -> String;
    /// Type of a struct.
    fn type_name(&self, name: &str) -> String;
    /// Expression for a number, element `i` of it if it is an array.
    fn get(&self, variable: &str, field: &Field) -> String;
    /// Statement that copies a number, or element `i`, from `from` to `to`.
    fn copy(&self, field: &Field) -> String;
    /// Expression for a pointer to a contained struct that is only read.
    fn inner(&self, variable: &str, field: &Field) -> String;
    /// Expression for a pointer to a contained struct that is written.
    fn inner_mut(&self, variable: &str, field: &Field) -> String;
    /// Expression for a number of an enum, or for a constant.
    fn number(&self, item: &Enum, value: &EnumValue) -> String;
}

/// The whole program.
pub fn print(schema: &Schema, dialect: &dyn Dialect) -> String {
    let mut out = dialect.head() + PRELUDE;
    for one in &schema.structs {
        let (name, kind) = (&one.name, dialect.type_name(&one.name));
        let _ = writeln!(out, "\nstatic void show_{name}(const char *at, const {kind} *v) {{");
        out += &show(one, dialect);
        let _ = writeln!(out, "}}\n\nstatic void copy_{name}({kind} *to, const {kind} *from) {{");
        out += &copy(one, dialect);
        out += "}\n";
    }
    out += "\nint main(int argc, char **argv) {\n  if (argc != 3) return 2;\n";
    for one in &schema.structs {
        let (name, kind) = (&one.name, dialect.type_name(&one.name));
        let _ = writeln!(out, "  load(argv[1], \"{name}\", image, sizeof({kind}));");
        let _ = writeln!(out, "  memset(fresh, 0, sizeof({kind}));");
        let _ = writeln!(out, "  show_{name}(\"{name}\", (const {kind} *)(const void *)image);");
        let _ = writeln!(
            out,
            "  copy_{name}(({kind} *)(void *)fresh, (const {kind} *)(const void *)image);"
        );
        let _ = writeln!(out, "  store(argv[2], \"{name}\", fresh, sizeof({kind}));");
    }
    for (item, value) in schema.numbers() {
        let number = dialect.number(item, value);
        let _ = writeln!(out, "  printf(\"\\\"{}.{}\\\": \");", item.name, value.name);
        let _ = writeln!(out, "  show_unsigned((uint64_t){number}); printf(\"\\n\");");
    }
    out + "  return 0;\n}\n"
}

/// Images are decoded where they lie, so the memory is aligned like a mapping.
const PRELUDE: &str = r#"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static union { uint64_t words[8191]; unsigned char bytes[65528]; } image_memory, fresh_memory;
static unsigned char *const image = image_memory.bytes;
static unsigned char *const fresh = fresh_memory.bytes;

static FILE *open_image(const char *folder, const char *name, const char *mode) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.bin", folder, name);
  FILE *file = fopen(path, mode);
  if (file == NULL) { perror(path); exit(2); }
  return file;
}

static void load(const char *folder, const char *name, unsigned char *to, size_t size) {
  FILE *file = open_image(folder, name, "rb");
  if (fread(to, 1, size, file) != size || fgetc(file) != EOF) {
    fprintf(stderr, "%s: the image is not %zu bytes\n", name, size);
    exit(2);
  }
  fclose(file);
}

static void store(const char *folder, const char *name, const unsigned char *from, size_t size) {
  FILE *file = open_image(folder, name, "wb");
  if (fwrite(from, 1, size, file) != size || fclose(file) != 0) { perror(name); exit(2); }
}

static void show_unsigned(uint64_t number) { printf("%" PRIu64, number); }
static inline void show_signed(int64_t number) { printf("%" PRId64, number); }
static inline void show_float(double number) { printf("%.17g", number); }
"#;

fn shower(field: &Field) -> (&'static str, &'static str) {
    match &field.base {
        Base::Scalar(scalar) if scalar.is_float() => ("show_float", "double"),
        Base::Scalar(scalar) if scalar.name().starts_with('i') => ("show_signed", "int64_t"),
        _ => ("show_unsigned", "uint64_t"),
    }
}

fn show(one: &Struct, dialect: &dyn Dialect) -> String {
    let mut out = String::new();
    for field in &one.fields {
        let name = &field.name;
        match (&field.base, field.count) {
            (Base::Struct(inner), None) => {
                let value = dialect.inner("v", field);
                let _ = writeln!(
                    out,
                    "  {{ char path[256]; snprintf(path, sizeof path, \"%s.{name}\", at);"
                );
                let _ = writeln!(out, "    show_{inner}(path, {value}); }}");
            }
            (Base::Struct(inner), Some(count)) => {
                let value = dialect.inner("v", field);
                let _ =
                    writeln!(out, "  for (unsigned i = 0; i < {count}; i++) {{ char path[256];");
                let _ = writeln!(out, "    snprintf(path, sizeof path, \"%s.{name}[%u]\", at, i);");
                let _ = writeln!(out, "    show_{inner}(path, {value}); }}");
            }
            (_, None) => {
                let (show, kind) = shower(field);
                let value = dialect.get("v", field);
                let _ = writeln!(out, "  printf(\"\\\"%s.{name}\\\": \", at);");
                let _ = writeln!(out, "  {show}(({kind}){value}); printf(\"\\n\");");
            }
            (_, Some(count)) => {
                let (show, kind) = shower(field);
                let value = dialect.get("v", field);
                let _ = writeln!(out, "  printf(\"\\\"%s.{name}\\\": [\", at);");
                let _ = writeln!(out, "  for (unsigned i = 0; i < {count}; i++) {{");
                let _ = writeln!(out, "    if (i > 0) printf(\", \");");
                let _ = writeln!(out, "    {show}(({kind}){value});\n  }}\n  printf(\"]\\n\");");
            }
        }
    }
    out
}

fn copy(one: &Struct, dialect: &dyn Dialect) -> String {
    let mut out = String::new();
    for field in &one.fields {
        let statement = match &field.base {
            Base::Struct(inner) => {
                let (to, from) = (dialect.inner_mut("to", field), dialect.inner("from", field));
                format!("copy_{inner}({to}, {from});")
            }
            _ => dialect.copy(field),
        };
        let _ = match field.count {
            Some(count) => writeln!(out, "  for (unsigned i = 0; i < {count}; i++) {statement}"),
            None => writeln!(out, "  {statement}"),
        };
    }
    out
}
