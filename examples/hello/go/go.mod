module github.com/framelane/framelane/examples/hello/go

go 1.24

require github.com/framelane/framelane/go v0.0.0

replace github.com/framelane/framelane/go => ../../../go
