package pgembed

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

const (
	outputMost = 4 << 20 // bytes in the file before it becomes the .1 file; two of them at most
	tailMost   = 8       // lines that an error quotes
)

// output keeps what the server says: all of it in a file of bounded size, the
// last lines in memory for errors. It is an io.Writer for os/exec.
type output struct {
	mu   sync.Mutex
	path string
	file *os.File
	size int64
	tail []string
	part []byte // of a line without its end
}

func openOutput(path string) (*output, error) {
	o := &output{path: path}
	if err := o.open(); err != nil {
		return nil, err
	}

	return o, nil
}

func (o *output) open() error {
	file, err := os.OpenFile(o.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()

		return fmt.Errorf("read the server's log: %w", err)
	}
	o.file, o.size = file, info.Size()

	return nil
}

// Write never fails: a full disk must not stop the server from talking.
func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()

	if o.size > outputMost {
		o.rotate()
	}
	if o.file != nil {
		n, _ := o.file.Write(text)
		o.size += int64(n)
	}

	lines := bytes.Split(append(o.part, text...), []byte("\n"))
	o.part = bytes.Clone(lines[len(lines)-1])
	for _, line := range lines[:len(lines)-1] {
		o.tail = append(o.tail, string(line))
	}
	if extra := len(o.tail) - tailMost; extra > 0 {
		o.tail = append([]string(nil), o.tail[extra:]...)
	}

	return len(text), nil
}

// rotate makes room; where that fails, the lines are kept in memory only.
func (o *output) rotate() {
	if o.file == nil {
		return
	}
	_ = o.file.Close()
	o.file = nil
	if err := os.Rename(o.path, o.path+".1"); err != nil {
		return
	}
	_ = o.open()
}

// last returns the last lines, for an error.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()

	return strings.Join(append(slices.Clip(o.tail), string(o.part)), "\n")
}

// lastLine returns the last whole line that says anything, "" if there is none.
func (o *output) lastLine() string {
	o.mu.Lock()
	defer o.mu.Unlock()

	for _, line := range slices.Backward(o.tail) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}

	return ""
}

// forget drops the last lines, before another server starts to talk.
func (o *output) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()

	o.tail, o.part = nil, nil
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()

	if o.file != nil {
		_ = o.file.Close()
		o.file = nil
	}
}
