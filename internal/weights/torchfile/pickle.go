package torchfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// errPickle is wrapped by every error about the pickle program.
var errPickle = errors.New("bad pickle")

// machine runs a pickle program. It knows the operations that torch.save
// writes, resolves no name and calls nothing: the only "calls" it understands
// are the few that describe a tensor, and those only fill in a struct. Its
// memory is bounded by the program's length, because every operation adds at
// most one value that refers to others and copies none.
type machine struct {
	program []byte
	at      int
	stack   []any
	memo    map[uint32]any
}

// maxStack is the largest number of values on the stack; torch.save leaves a few
// hundred there.
const maxStack = 1 << 20

// run executes a program and returns the value it leaves.
func run(program []byte) (any, error) {
	m := &machine{program: program, memo: map[uint32]any{}}
	for ops := 0; ; ops++ {
		if ops >= limits.PickleOps || len(m.stack) > maxStack {
			return nil, fmt.Errorf("%w: more than %d operations or %d values on the stack: %w", errPickle, limits.PickleOps, maxStack, limits.ErrTooLarge)
		}
		start := m.at
		done, err := m.step()
		if err != nil {
			return nil, fmt.Errorf("%w: operation at byte %d: %w", errPickle, start, err)
		}
		if done {
			return m.pop()
		}
	}
}

var errShort = errors.New("the program is cut off")

func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.program)-m.at) {
		return nil, errShort
	}
	b := m.program[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// number reads a little-endian number of n bytes.
func (m *machine) number(n uint64) (uint64, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// counted reads a length of n bytes and as many bytes.
func (m *machine) counted(n uint64) ([]byte, error) {
	length, err := m.number(n)
	if err != nil {
		return nil, err
	}
	return m.take(length)
}

func (m *machine) line() (string, error) {
	i := bytes.IndexByte(m.program[m.at:], '\n')
	if i < 0 {
		return "", errShort
	}
	s := string(m.program[m.at : m.at+i])
	m.at += i + 1
	return s, nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("the stack is empty")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errors.New("a mark where a value is needed")
	}
	return v, nil
}

func (m *machine) top() (any, error) {
	v, err := m.pop()
	if err == nil {
		m.push(v)
	}
	return v, err
}

// popMark pops the values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// step executes one operation; done is true after STOP.
func (m *machine) step() (done bool, err error) {
	op, err := m.number(1)
	if err != nil {
		return false, err
	}
	switch op := byte(op); op {
	case '.':
		return true, nil
	case 0x80: // PROTO
		v, err := m.number(1)
		if err == nil && v > 5 {
			err = fmt.Errorf("protocol %d, the newest is 5", v)
		}
		return false, err
	case 0x95: // FRAME
		_, err = m.number(8)
	case '(':
		m.push(mark{})
	case '0':
		if len(m.stack) == 0 {
			return false, errors.New("the stack is empty")
		}
		m.stack = m.stack[:len(m.stack)-1]
	case '1': // POP_MARK
		_, err = m.popMark()
	case '2': // DUP
		v, e := m.top()
		if err = e; err == nil {
			m.push(v)
		}
	case 'N':
		m.push(nil)
	case 0x88:
		m.push(true)
	case 0x89:
		m.push(false)
	case 'K', 'M', 'J', 0x8a, 0x8b, 'I', 'L', 'G', 'F':
		err = m.pushNumber(op)
	case 'X', 0x8c, 0x8d, 'U', 'T', 'B', 'C', 0x8e, 0x96, 'S', 'V':
		err = m.pushText(op)
	case ']', 0x8f:
		m.push(&list{})
	case '}':
		m.push(newDict())
	case ')':
		m.push(&tuple{})
	case 't', 0x85, 0x86, 0x87, 'l', 'd', 0x91:
		err = m.collect(op)
	case 'a', 'e', 0x90, 's', 'u':
		err = m.extend(op)
	case 'q', 'r', 'p', 'h', 'j', 'g', 0x94:
		err = m.remember(op)
	case 'c', 0x93, 'Q', 'R', 0x81, 0x92, 'b', 'i', 'o':
		err = m.object(op)
	default:
		err = fmt.Errorf("operation 0x%02x is not one that torch.save writes", op)
	}
	return false, err
}

func (m *machine) pushNumber(op byte) error {
	var v any
	var n uint64
	var b []byte
	var s string
	var err error
	switch op {
	case 'K':
		n, err = m.number(1)
		v = int64(n)
	case 'M':
		n, err = m.number(2)
		v = int64(n)
	case 'J':
		n, err = m.number(4)
		v = int64(int32(n))
	case 0x8a, 0x8b: // LONG1, LONG4: two's complement
		if b, err = m.counted(map[byte]uint64{0x8a: 1, 0x8b: 4}[op]); err == nil && len(b) > 8 {
			v = opaque{"a large integer"}
			break
		}
		var wide [8]byte
		if len(b) > 0 && b[len(b)-1] >= 0x80 {
			wide = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
		}
		copy(wide[:], b)
		v = int64(binary.LittleEndian.Uint64(wide[:]))
	case 'G':
		if b, err = m.take(8); err == nil {
			v = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	default: // INT, LONG, FLOAT as text
		if s, err = m.line(); err != nil {
			break
		}
		switch s = strings.TrimSuffix(s, "L"); {
		case op == 'I' && (s == "00" || s == "01"):
			v = s == "01"
		case op == 'F':
			v, err = strconv.ParseFloat(s, 64)
		default:
			v, err = strconv.ParseInt(s, 10, 64)
		}
	}
	if err == nil {
		m.push(v)
	}
	return err
}

func (m *machine) pushText(op byte) error {
	var b []byte
	var err error
	switch op {
	case 'X', 'T':
		b, err = m.counted(4)
	case 0x8c, 'U':
		b, err = m.counted(1)
	case 0x8d:
		b, err = m.counted(8)
	case 'B', 'C', 0x8e, 0x96:
		b, err = m.counted(map[byte]uint64{'B': 4, 'C': 1, 0x8e: 8, 0x96: 8}[op])
		if err == nil {
			m.push(b)
		}
		return err
	default:
		var s string
		s, err = m.line()
		b = []byte(strings.Trim(s, `'"`))
	}
	if err == nil {
		m.push(string(b))
	}
	return err
}

// collect makes a container of what is on the stack.
func (m *machine) collect(op byte) error {
	if op >= 0x85 && op <= 0x87 {
		n := int(op-0x85) + 1
		items := make([]any, n)
		for i := n - 1; i >= 0; i-- {
			v, err := m.pop()
			if err != nil {
				return err
			}
			items[i] = v
		}
		m.push(&tuple{items})
		return nil
	}
	items, err := m.popMark()
	if err != nil {
		return err
	}
	switch op {
	case 'l', 0x91:
		m.push(&list{items})
	case 'd':
		d := newDict()
		if err := d.set(items); err != nil {
			return err
		}
		m.push(d)
	default:
		m.push(&tuple{items})
	}
	return nil
}

// extend adds values to the container below them.
func (m *machine) extend(op byte) error {
	var items []any
	var err error
	switch op {
	case 'a', 's':
		items = make([]any, map[byte]int{'a': 1, 's': 2}[op])
		for i := len(items) - 1; i >= 0 && err == nil; i-- {
			items[i], err = m.pop()
		}
	default:
		items, err = m.popMark()
	}
	if err != nil {
		return err
	}
	to, err := m.top()
	if err != nil {
		return err
	}
	switch to := to.(type) {
	case *list:
		if op == 's' || op == 'u' {
			return errors.New("keys for a list")
		}
		to.items = append(to.items, items...)
	case *dict:
		if op != 's' && op != 'u' {
			return errors.New("items without keys for a dictionary")
		}
		return to.set(items)
	case opaque: // thrown away
	default:
		return errors.New("items for a value that holds none")
	}
	return nil
}

func newDict() *dict { return &dict{} }

func (d *dict) set(items []any) error {
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		key, ok := items[i].(string)
		if !ok {
			continue // optimizer state is keyed by numbers
		}
		if d.at == nil {
			d.at = map[string]any{}
		}
		if _, there := d.at[key]; !there {
			d.keys = append(d.keys, key)
		}
		d.at[key] = items[i+1]
	}
	return nil
}

// remember stores to and loads from the memo.
func (m *machine) remember(op byte) error {
	var n uint64
	var err error
	switch op {
	case 'q', 'h':
		n, err = m.number(1)
	case 'r', 'j':
		n, err = m.number(4)
	case 'p', 'g':
		var s string
		if s, err = m.line(); err == nil {
			n, err = strconv.ParseUint(s, 10, 32)
		}
	default: // MEMOIZE
		n = uint64(len(m.memo))
	}
	if err != nil {
		return err
	}
	key := uint32(n)
	if op == 'h' || op == 'j' || op == 'g' {
		v, ok := m.memo[key]
		if !ok {
			return fmt.Errorf("nothing is stored under %d", key)
		}
		m.push(v)
		return nil
	}
	v, err := m.top()
	if err == nil {
		m.memo[key] = v
	}
	return err
}
