package source

import "slices"

// The regions of Customer.io. Each publishes a list of its own.
const (
	regionUS = "us"
	regionEU = "eu"
)

// BuiltIn returns the addresses that Customer.io had published for a region
// when this was written, sorted: what its webhooks came from then. The lists
// change now and then; they are at https://api.customer.io/v1/info/ip_addresses
// (api-eu.customer.io for the EU).
func BuiltIn(region string) []string {
	switch region {
	case regionUS:
		return []string{
			"34.10.127.179", "34.170.204.100", "35.188.196.183", "35.192.215.166", "35.194.9.154",
			"35.225.6.73", "104.154.144.51", "104.154.232.87", "104.197.27.15", "104.197.210.12",
			"104.198.177.219", "104.198.221.24", "130.211.229.195", "136.111.237.157",
		}
	case regionEU:
		return []string{
			"34.76.143.229", "34.77.94.252", "34.78.44.80", "34.78.91.47", "34.78.122.90",
			"35.187.188.242", "35.195.137.235", "35.205.31.154", "104.199.50.18", "130.211.108.156",
		}
	}

	return nil
}

// Published is the list of one region, in place of the built-in one.
type Published struct {
	Region    string   // us or eu
	Addresses []string // as [Judge] returns them
}

// of returns the addresses of a region.
func (p Published) of(region string) []string {
	if p.Region == region {
		return p.Addresses
	}

	return BuiltIn(region)
}

// NamesCustomerIO reports whether words ask for Customer.io's lists.
func NamesCustomerIO(words []string) bool { return slices.Contains(words, wordCustomerIO) }

// Difference returns what of after is not in before, and the other way round.
func Difference(before, after []string) (came, gone []string) {
	return without(after, before), without(before, after)
}

func without(all, these []string) (rest []string) {
	for _, one := range all {
		if !slices.Contains(these, one) {
			rest = append(rest, one)
		}
	}

	return rest
}
