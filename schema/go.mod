module github.com/framelane/framelane/schema

go 1.24
