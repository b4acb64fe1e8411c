package customerio

// ReadAddresses is what [Addresses] does with an answer.
func ReadAddresses(body []byte) ([]string, error) { return readAddresses(body) }
