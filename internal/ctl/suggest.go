package ctl

import "slices"

// didYouMean returns a hint to the known word that is nearest to word, or
// otherwise if none is near.
func didYouMean(word string, known []string, otherwise string) string {
	nearest, least := "", min(3, max(1, len(word)/2))+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			nearest, least = k, d
		}
	}
	if nearest == "" {
		return otherwise
	}

	return "did you mean " + nearest + "?"
}

// distance counts the letters to change, add or drop on the way from a to b
// (Levenshtein's).
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		above := slices.Clone(row)
		row[0] = i + 1
		for j, other := range to {
			swap := above[j]
			if r != other {
				swap++
			}
			row[j+1] = min(swap, above[j+1]+1, row[j]+1)
		}
	}

	return row[len(to)]
}
