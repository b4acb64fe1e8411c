package parquetfile

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// A fastCodec compresses less than zstd does by default, for half the time. The
// library's own would keep 8 MiB for each page that is compressed at once, to
// look back as far as no page is long.
type fastCodec struct {
	compress.Codec // reads, and says what it is called

	encoder func() (*zstd.Encoder, error)
}

// pageWindow is more than a page has, unless a single value is longer.
const pageWindow = 512 << 10

var fast = fastCodec{&parquet.Zstd, sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(pageWindow), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
})}

// Encode implements [compress.Codec].
func (c *fastCodec) Encode(dst, src []byte) ([]byte, error) {
	encoder, err := c.encoder()
	if err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}

	return encoder.EncodeAll(src, dst[:0]), nil
}
