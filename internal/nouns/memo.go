package nouns

import "sync"

// Memo remembers what a finder found in up to size captions; it is safe for
// concurrent use where the finder is. Training meets the same captions again
// and again, and a tagger takes longer than everything else that is done to
// one. The results are shared: they must not be changed.
func Memo(f Finder, size int) Finder {
	return &memo{finder: f, size: size, found: map[string][]string{}}
}

type memo struct {
	finder Finder
	size   int
	mu     sync.RWMutex
	found  map[string][]string
}

// Nouns implements [Finder].
func (m *memo) Nouns(caption string) []string {
	m.mu.RLock()
	found, ok := m.found[caption]
	m.mu.RUnlock()
	if ok {
		return found
	}
	found = m.finder.Nouns(caption)
	m.mu.Lock()
	if len(m.found) < m.size {
		m.found[caption] = found
	}
	m.mu.Unlock()
	return found
}
