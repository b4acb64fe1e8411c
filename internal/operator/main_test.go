package operator_test

import (
	"testing"

	"trivia/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
