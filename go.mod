module github.com/onlink-go/onlink

go 1.26
