package store

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// What a batch sends are arrays, some fifty for each. The driver would look at
// every element alone; these write themselves as a whole.
type (
	words  []string
	texts  []string    // the empty ones are null
	blobs  [][]byte    // nil is null
	times  []time.Time // the zero ones are null
	counts []int32
	flags  []int16
)

// An array appends itself to buf in Postgres's binary format.
type array interface {
	encode(buf []byte) []byte
}

// encodeArrays makes a connection send our arrays as they encode themselves.
func encodeArrays(conn *pgx.Conn) {
	for _, t := range []struct {
		name string
		oid  uint32
	}{
		{"_text", pgtype.TextArrayOID},
		{"_bytea", pgtype.ByteaArrayOID},
		{"_timestamptz", pgtype.TimestamptzArrayOID},
		{"_int4", pgtype.Int4ArrayOID},
		{"_int2", pgtype.Int2ArrayOID},
	} {
		if known, ok := conn.TypeMap().TypeForOID(t.oid); ok {
			conn.TypeMap().RegisterType(&pgtype.Type{Name: t.name, OID: t.oid, Codec: arrayCodec{known.Codec}})
		}
	}
}

// An arrayCodec is the driver's codec of an array type, which knows ours too.
type arrayCodec struct{ pgtype.Codec }

// PlanEncode implements [pgtype.Codec].
func (c arrayCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(array); ok && format == pgtype.BinaryFormatCode {
		return arrayPlan{}
	}

	return c.Codec.PlanEncode(m, oid, format, value)
}

type arrayPlan struct{}

// Encode implements [pgtype.EncodePlan].
func (arrayPlan) Encode(value any, buf []byte) ([]byte, error) {
	return value.(array).encode(buf), nil //nolint:forcetypeassert // PlanEncode has looked
}

var order = binary.BigEndian

// appendArray begins an array of n elements of the type oid.
func appendArray(buf []byte, oid uint32, n int) []byte {
	const (
		dimensions = 1
		mayBeNull  = 1
		firstIndex = 1
	)
	if n == 0 {
		return order.AppendUint32(order.AppendUint32(order.AppendUint32(buf, 0), 0), oid)
	}

	buf = order.AppendUint32(buf, dimensions)
	buf = order.AppendUint32(buf, mayBeNull)
	buf = order.AppendUint32(buf, oid)
	buf = order.AppendUint32(buf, uint32(n)) //nolint:gosec // as many as a batch holds

	return order.AppendUint32(buf, firstIndex)
}

// null is the length of an element that is null.
const null = 0xFFFFFFFF

func (list words) encode(buf []byte) []byte {
	buf = appendArray(buf, pgtype.TextOID, len(list))
	for _, word := range list {
		buf = append(order.AppendUint32(buf, uint32(len(word))), word...) //nolint:gosec // shorter than a body
	}

	return buf
}

// A column that nobody has anything in is sent as an empty array: unnest fills
// it up with nulls.
func (list texts) encode(buf []byte) []byte {
	if !slices.ContainsFunc(list, func(word string) bool { return word != "" }) {
		list = nil
	}
	buf = appendArray(buf, pgtype.TextOID, len(list))
	for _, word := range list {
		if word == "" {
			buf = order.AppendUint32(buf, null)
			continue
		}
		buf = append(order.AppendUint32(buf, uint32(len(word))), word...) //nolint:gosec // shorter than a body
	}

	return buf
}

func (list blobs) encode(buf []byte) []byte {
	buf = appendArray(buf, pgtype.ByteaOID, len(list))
	for _, blob := range list {
		if blob == nil {
			buf = order.AppendUint32(buf, null)
			continue
		}
		buf = append(order.AppendUint32(buf, uint32(len(blob))), blob...) //nolint:gosec // no longer than a body
	}

	return buf
}

// epoch is where Postgres begins to count microseconds.
const epoch = 946684800_000_000

func (list times) encode(buf []byte) []byte {
	buf = appendArray(buf, pgtype.TimestamptzOID, len(list))
	for _, t := range list {
		if t.IsZero() {
			buf = order.AppendUint32(buf, null)
			continue
		}
		buf = order.AppendUint64(order.AppendUint32(buf, 8), uint64(t.UnixMicro()-epoch)) //nolint:gosec // two's complement
	}

	return buf
}

func (list counts) encode(buf []byte) []byte {
	buf = appendArray(buf, pgtype.Int4OID, len(list))
	for _, n := range list {
		buf = order.AppendUint32(order.AppendUint32(buf, 4), uint32(n)) //nolint:gosec // two's complement
	}

	return buf
}

func (list flags) encode(buf []byte) []byte {
	buf = appendArray(buf, pgtype.Int2OID, len(list))
	for _, n := range list {
		buf = order.AppendUint16(order.AppendUint32(buf, 2), uint16(n)) //nolint:gosec // two's complement
	}

	return buf
}
