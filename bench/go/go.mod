module github.com/framelane/framelane/bench/go

go 1.24

require github.com/framelane/framelane/go v0.0.0

replace github.com/framelane/framelane/go => ../../go
