// Package hub keeps models of the Hugging Face Hub: it names them, finds them in
// the cache that the Hub's own clients share, and downloads what is missing.
//
// The cache is laid out as huggingface_hub does (its guide "Understand
// caching"): models--OWNER--NAME holds blobs/ETAG, refs/REVISION with a commit,
// and snapshots/COMMIT/FILE, a link to a blob. A download lands in
// blobs/ETAG.incomplete under a lock, goes on where it was cut, is hashed, and
// only then gets its name: what has a name is whole.
package hub

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Errors of this package; every other one is the network's or the file system's.
var (
	// ErrName is wrapped where a name is no OWNER/NAME.
	ErrName = errors.New("no name of a model on the Hub")
	// ErrNotCached is wrapped where a model is not in the cache.
	ErrNotCached = errors.New("not in the cache of models")
	// ErrOffline is wrapped where HF_HUB_OFFLINE forbids what was asked.
	ErrOffline = errors.New("HF_HUB_OFFLINE is set")
	// ErrRefused is wrapped where the Hub answers, but not with what was asked.
	ErrRefused = errors.New("the Hub refused")
	// ErrHash is wrapped where what arrived is not what the Hub announced.
	ErrHash = errors.New("the download is damaged")
)

// Main is the revision of a name that tells none.
const Main = "main"

// Ref names a model on the Hub.
type Ref struct {
	// Owner and Name are the two parts of "nvidia/groupvit-gcc-yfcc".
	Owner, Name string
	// Revision is a branch, a tag or a commit.
	Revision string
}

// The Hub's own rules for names: letters, digits, dots, dashes and underscores,
// 96 characters at most.
var (
	namePart = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$`)
	revision = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$`)
	commit   = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// Parse reads "owner/name" or "owner/name@revision". Errors wrap [ErrName].
func Parse(s string) (Ref, error) {
	name, rev, told := strings.Cut(s, "@")
	if !told {
		rev = Main
	}
	owner, name, ok := strings.Cut(name, "/")
	if !ok || !namePart.MatchString(owner) || !namePart.MatchString(name) || strings.Contains(owner+"/"+name, "--") || strings.Contains(owner+"/"+name, "..") {
		return Ref{}, fmt.Errorf("%w: %q: a name looks like nvidia/groupvit-gcc-yfcc", ErrName, s)
	}
	if !revision.MatchString(rev) || strings.Contains(rev, "..") || strings.HasSuffix(rev, "/") || strings.Contains(rev, "//") {
		return Ref{}, fmt.Errorf("%w: %q: a revision is a branch, a tag or a commit", ErrName, s)
	}
	return Ref{Owner: owner, Name: name, Revision: rev}, nil
}

// ID returns "owner/name".
func (r Ref) ID() string { return r.Owner + "/" + r.Name }

// String returns the name as [Parse] reads it.
func (r Ref) String() string {
	if r.Revision == "" || r.Revision == Main {
		return r.ID()
	}
	return r.ID() + "@" + r.Revision
}

// folder is the name's folder in the cache.
func (r Ref) folder() string { return "models--" + r.Owner + "--" + r.Name }

// isCommit tells whether a revision is a commit, which never changes.
func isCommit(revision string) bool { return commit.MatchString(revision) }
