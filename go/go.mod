module github.com/framelane/framelane/go

go 1.24
