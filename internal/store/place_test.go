package store

import "testing"

func TestAPlaceNamesNoPassword(t *testing.T) {
	t.Parallel()

	tests := []struct{ url, want string }{
		{"postgres://ann:s3cr3t@db.example.com/trivia", "db.example.com/trivia"},
		{"postgres://ann:s3cr3t@db.example.com:6432/trivia?sslmode=require", "db.example.com:6432/trivia"},
		{"postgres://ann:s3cr3t@one:5432,two:6432/trivia?target_session_attrs=read-write", "one,two:6432/trivia"},
		{"host=db.example.com user=ann password=s3cr3t dbname=trivia", "db.example.com/trivia"},
		{"postgres:///trivia?host=/run/postgresql&user=ann", "this machine/trivia"},
		{"postgres://ann:s3/cr3t@db.example.com/trivia", ""},
	}
	for _, tt := range tests {
		if got := Place(tt.url); got != tt.want {
			t.Errorf("Place(%q) = %q, want %q", tt.url, got, tt.want)
		}
	}
}
