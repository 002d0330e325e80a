package script

// Expr is an expression: an argument or the result of a system call. It is one of *Ellipsis, *Int, *Float, *Word, *Str,
// *Unary, *Binary, *List, *Struct, *Call, *Assign and *HeaderExpr.
type Expr interface {
	Position() Pos
	String() string // in the script's syntax
	expr()
}

// Ellipsis is ...: whatever the interpreter sees fit, or any value.
type Ellipsis struct{ Pos Pos }

// Int is a whole number: 10, -1, 0x10.
type Int struct {
	Pos   Pos
	Value int64 // an unsigned number of 64 bits is here as its bits
	Hex   bool  // written as 0x…
}

// Float is a number with a point: 0.5.
type Float struct {
	Pos   Pos
	Value float64
	Text  string // as written
}

// Word is a name: SOCK_STREAM, F_GETFL. What it stands for, package abi says.
type Word struct {
	Pos  Pos
	Name string
}

// Str is a string, or several in a row joined: "a" "b".
type Str struct {
	Pos   Pos
	Value string // with its escapes resolved: any bytes
	More  bool   // "abc"...: more may follow
}

// Unary is -X, ~X or !X.
type Unary struct {
	Pos Pos
	Op  string
	X   Expr
}

// Binary is X Op Y: | & ^ and, inside parentheses and brackets, + - * / % << >> too.
type Binary struct {
	Pos  Pos // of Op
	Op   string
	X, Y Expr
}

// List is [X, Y, …].
type List struct {
	Pos   Pos
	Elems []Expr
}

// Struct is {name = value, …}. The grammar's structures all have this shape:
//
//	sockaddr           {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("1.2.3.4")}
//	msghdr             {msg_name(...) = ..., msg_iov(1) = [{..., 1000}], msg_flags = 0, msg_control = […]}
//	iovec              {..., 1000}   {iov_base = ..., iov_len = 1000}
//	cmsghdr            {cmsg_len = …, cmsg_level = SOL_SOCKET, cmsg_type = …, cmsg_data = …}
//	pollfd             {fd = 3, events = POLLIN, revents = POLLIN}
//	epoll_event        {events = EPOLLIN, fd = 4}   {events = …, ptr = 4}   … u32 … u64
//	linger             {onoff = 1, linger = 5}
//	sock_extended_err  {ee_errno = …, ee_origin = …, ee_type = …, ee_code = …, ee_info = …, ee_data = …}
//	scm_timestamping   {scm_sec = 0, scm_nsec = 1000}
//
// A field without a name stands for its place.
type Struct struct {
	Pos    Pos
	Fields []Field
}

// Field is one field of a Struct, or name = value in a list of arguments or of elements.
type Field struct {
	Pos   Pos
	Name  string // empty: none is written
	Count Expr   // what stands in parentheses behind the name: msg_iov(2); nil: nothing
	Value Expr
}

// Field returns the value of the field called name, nil where there is none.
func (s *Struct) Field(name string) Expr {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return s.Fields[i].Value
		}
	}
	return nil
}

// Call is a function of the language: htons(80), inet_addr("1.2.3.4"), CMSG_LEN(4).
type Call struct {
	Pos  Pos
	Name string
	Args []Expr
}

// Assign is name = value outside of a Struct.
type Assign struct {
	Pos   Pos
	Name  string
	Value Expr
}

// HeaderExpr is one of the two headers that are arguments, too, in a form of their own: {(label 1, tc 0, ttl 64)} and
// {flags [none], sum 0, off 0, key 0, seq 0}.
type HeaderExpr struct {
	Pos    Pos
	Header Header // *MPLS or *GRE
}

func (x *Ellipsis) Position() Pos { return x.Pos }
func (x *Int) Position() Pos      { return x.Pos }
func (x *Float) Position() Pos    { return x.Pos }
func (x *Word) Position() Pos     { return x.Pos }
func (x *Str) Position() Pos      { return x.Pos }
func (x *Unary) Position() Pos    { return x.Pos }
func (x *Binary) Position() Pos   { return x.Pos }
func (x *List) Position() Pos     { return x.Pos }
func (x *Struct) Position() Pos   { return x.Pos }
func (x *Call) Position() Pos     { return x.Pos }
func (x *Assign) Position() Pos   { return x.Pos }
func (x *HeaderExpr) Position() Pos {
	return x.Pos
}

func (*Ellipsis) expr()   {}
func (*Int) expr()        {}
func (*Float) expr()      {}
func (*Word) expr()       {}
func (*Str) expr()        {}
func (*Unary) expr()      {}
func (*Binary) expr()     {}
func (*List) expr()       {}
func (*Struct) expr()     {}
func (*Call) expr()       {}
func (*Assign) expr()     {}
func (*HeaderExpr) expr() {}
