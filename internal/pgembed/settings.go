package pgembed

// arguments returns the server's command line. It says everything that
// matters, so that no file in the data directory can say otherwise.
func (c *Cluster) arguments() []string {
	settings := []string{
		"listen_addresses=" + c.socket.host,
		"port=" + c.socket.port,
		"unix_socket_directories=" + c.socket.dir,
		"unix_socket_permissions=0700",
		"max_connections=200",
		"shared_buffers=128MB",
		"max_wal_size=2GB",
		"jit=off", // no statement of ours runs long enough to gain by it
		"timezone=UTC",
		"log_timezone=UTC",
		"log_destination=stderr",
		"logging_collector=off", // we keep what it says, in bounds
	}

	durable := "off"
	if c.options.Durable {
		durable = "on"
	}
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		settings = append(settings, name+"="+durable)
	}

	args := []string{"-D", c.place.data()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}

	return args
}
