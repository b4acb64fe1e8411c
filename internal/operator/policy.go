package operator

import (
	"trivia/internal/config"
	"trivia/internal/trivia"
)

// PolicyOf returns what the settings say is done for people. Their words are
// checked already.
func PolicyOf(set config.Pushes) trivia.Policy {
	return trivia.Policy{
		Bounce:      trivia.Treatment(set.OnBounce),
		Spam:        trivia.Treatment(set.OnSpam),
		Unsubscribe: trivia.Treatment(set.OnUnsubscribe),
		Engagement:  trivia.Treatment(set.OnEngagement),
		Win:         trivia.Treatment(set.OnWin),
	}
}
