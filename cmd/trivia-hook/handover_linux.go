package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How listeners go from one process to the next: the one that has them listens
// on an abstract unix socket that is named after the public address. Whoever
// calls there, and is the same user, is given both sockets; and when it says
// that it is ready, the one that had them lets nobody in any more and ends. A
// caller that ends before has changed nothing.
const (
	handOverName  = "@trivia-hook/"
	handOverReady = "ready\n"
	handOverTime  = 5 * time.Second        // for the sockets to come
	offerAgain    = 200 * time.Millisecond // while a predecessor still has the name
)

// A handOver says what the two sockets are that come with it.
type handOver struct {
	PID int `json:"pid"`
}

// A predecessor is the process that had the listeners.
type predecessor struct {
	pid             int
	public, private net.Listener
	conn            *net.UnixConn
	gone            chan struct{} // closed when it has ended
}

// handOverAddr returns by what name the listener at addr is handed over. All
// ways to write one address come to the same name.
func handOverAddr(ctx context.Context, addr string) (*net.UnixAddr, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if ips, err := net.DefaultResolver.LookupIP(ctx, "ip", host); host != "" && err == nil && len(ips) > 0 {
		host = ips[0].String()
		if ips[0].IsUnspecified() {
			host = ""
		}
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, err
	}

	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("%s%s:%d", handOverName, host, number)}, nil
}

// findPredecessor asks the process that listens on addr for its listeners. It
// returns nil if no trivia-hook does.
func findPredecessor(ctx context.Context, addr string) (*predecessor, error) {
	name, err := handOverAddr(ctx, addr)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", name.Name)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil //nolint:nilnil // nobody is there to be replaced
	}
	if err != nil {
		return nil, err
	}
	conn, _ := c.(*net.UnixConn)
	p, err := receivePredecessor(conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go func() {
		_, _ = conn.Read(make([]byte, 1)) // it says nothing more: this is its end
		close(p.gone)
	}()

	return p, nil
}

func receivePredecessor(conn *net.UnixConn) (*predecessor, error) {
	if err := sameUser(conn); err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(handOverTime)) //nolint:forbidigo // the kernel's clock, not ours to choose
	text, control := make([]byte, 1024), make([]byte, unix.CmsgSpace(2*4))
	n, controls, _, _, err := conn.ReadMsgUnix(text, control)
	if err != nil {
		return nil, fmt.Errorf("receive them: %w", err)
	}
	_ = conn.SetReadDeadline(time.Time{})

	var said handOver
	if err := json.Unmarshal(text[:n], &said); err != nil {
		return nil, fmt.Errorf("read what comes with them: %w", err)
	}
	listeners, err := listenersIn(control[:controls])
	if err != nil {
		return nil, err
	}

	return &predecessor{pid: said.PID, public: listeners[0], private: listeners[1], conn: conn, gone: make(chan struct{})}, nil
}

// listenersIn returns the two listeners of a control message.
func listenersIn(control []byte) ([]net.Listener, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("receive them: %d messages came with sockets, want 1 (%v)", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, fmt.Errorf("receive them: %w", err)
	}

	var all []net.Listener
	for _, fd := range fds {
		file := os.NewFile(uintptr(fd), "listener")
		l, failed := net.FileListener(file) // a copy
		err = errors.Join(err, failed, file.Close())
		all = append(all, l)
	}
	if err == nil && len(all) != 2 {
		err = fmt.Errorf("receive them: %d came, want 2", len(all))
	}

	return all, err
}

// taken tells it that the listeners are ours now.
func (p *predecessor) taken() { _, _ = p.conn.Write([]byte(handOverReady)) }

// offer lets a successor have the listeners, until ctx ends. When one has
// them, it stops this process.
func (d *doors) offer(ctx context.Context, stop context.CancelCauseFunc) {
	l := d.offering(ctx)
	if l == nil {
		return
	}
	unlock := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer unlock()

	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return
		}
		go func() {
			if d.handOver(conn) {
				d.log.InfoContext(ctx, "another trivia-hook has taken the listeners over")
				_ = l.Close() // it offers them next
				d.public.handOver()
				stop(nil)
				return
			}
			_ = conn.Close()
		}()
	}
}

// offering returns where successors ask; nil if ctx has ended, or there is
// nowhere.
func (d *doors) offering(ctx context.Context) *net.UnixListener {
	name, err := handOverAddr(ctx, d.public.Addr().String())
	if err != nil {
		return nil
	}
	again := time.NewTicker(offerAgain)
	defer again.Stop()
	for {
		l, err := net.ListenUnix("unix", name)
		if err == nil {
			return l
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			d.log.WarnContext(ctx, "nobody can take the listeners over", slog.Any("error", err))
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C: // a predecessor that has not ended yet has it
		}
	}
}

// handOver gives both listeners to a process of the same user, and reports
// whether that has said that it is ready. If so, the connection is left open:
// its end tells that this process has ended.
func (d *doors) handOver(conn *net.UnixConn) bool {
	if err := sameUser(conn); err != nil {
		d.log.Warn("somebody else has asked for the listeners", slog.Any("error", err))
		return false
	}
	text, err := json.Marshal(handOver{PID: os.Getpid()})
	if err == nil {
		err = withFiles(func(fds []int) error {
			_, _, err := conn.WriteMsgUnix(text, unix.UnixRights(fds...), nil)
			return err
		}, d.public.Listener, d.private.Listener)
	}
	if err != nil {
		d.log.Warn("the listeners could not be handed over", slog.Any("error", err))
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')

	return err == nil && line == handOverReady
}

// withFiles calls f with the descriptors of listeners. They are not copied: a
// copy's blocking mode would be the listener's, too.
func withFiles(f func(fds []int) error, listeners ...net.Listener) error {
	var collect func(fds []int, rest []net.Listener) error
	collect = func(fds []int, rest []net.Listener) error {
		if len(rest) == 0 {
			return f(fds)
		}
		sc, ok := rest[0].(syscall.Conn)
		if !ok {
			return errors.ErrUnsupported
		}
		raw, err := sc.SyscallConn()
		if err != nil {
			return err
		}
		var failed error
		err = raw.Control(func(fd uintptr) { failed = collect(append(fds, int(fd)), rest[1:]) })

		return errors.Join(err, failed)
	}

	return collect(nil, listeners)
}

// sameUser returns nil if the process at the other end is of our own user: the
// name of the socket is anybody's to use.
func sameUser(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var (
		peer   *unix.Ucred
		failed error
	)
	err = raw.Control(func(fd uintptr) { peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if int(peer.Uid) != os.Geteuid() {
		return fmt.Errorf("process %d is of another user (uid %d)", peer.Pid, peer.Uid)
	}

	return nil
}
