package source

// customerIO returns the addresses that Customer.io published as those its
// webhooks come from. The list changes now and then; its current state is at
// https://api.customer.io/v1/info/ip_addresses (api-eu.customer.io for the EU).
func customerIO() []string {
	return []string{
		// United States.
		"35.188.196.183", "104.198.177.219", "104.154.232.87", "130.211.229.195", "104.198.221.24",
		"104.197.27.15", "35.194.9.154", "104.154.144.51", "104.197.210.12", "35.225.6.73",
		"35.192.215.166", "34.170.204.100", "136.111.237.157", "34.10.127.179",
		// European Union.
		"34.76.143.229", "34.78.91.47", "34.77.94.252", "35.187.188.242", "34.78.122.90",
		"35.195.137.235", "130.211.108.156", "104.199.50.18", "34.78.44.80", "35.205.31.154",
	}
}
