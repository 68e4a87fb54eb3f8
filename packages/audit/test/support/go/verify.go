// Verifies a log with golang.org/x/mod/sumdb: note signatures, tiles, inclusion of every entry, consistency of every pair of sizes given.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tiles reads C2SP tlog-tiles from a directory; x/mod names them tile/8/LEVEL/...
type tiles struct{ directory string }

func (t tiles) Height() int { return 8 }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range list {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.directory, path))
		if err != nil {
			full := tile
			full.W = 256
			data, err = os.ReadFile(filepath.Join(t.directory, strings.Replace(full.Path(), "tile/8/", "tile/", 1)))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, data[:tile.W*32])
	}
	return all, nil
}

func bundle(directory string, n int64, width int64) []byte {
	path := fmt.Sprintf("tile/entries/%03d", n)
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	data, err := os.ReadFile(filepath.Join(directory, path))
	fail(err)
	return data
}

func open(verifier note.Verifier, text []byte, origin string) tlog.Tree {
	signed, err := note.Open(text, note.VerifierList(verifier))
	fail(err)
	lines := strings.Split(signed.Text, "\n")
	if lines[0] != origin {
		fail(fmt.Errorf("origin %q", lines[0]))
	}
	var tree tlog.Tree
	_, err = fmt.Sscan(lines[1], &tree.N)
	fail(err)
	tree.Hash, err = tlog.ParseHash(lines[2])
	fail(err)
	return tree
}

func main() {
	directory, key, origin := os.Args[1], os.Args[2], os.Args[3]
	verifier, err := note.NewVerifier(key)
	fail(err)
	text, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	fail(err)
	tree := open(verifier, text, origin)
	reader := tlog.TileHashReader(tree, tiles{directory})
	root, err := tlog.TreeHash(tree.N, reader)
	fail(err)
	if root != tree.Hash {
		fail(fmt.Errorf("root is %v", root))
	}
	var index int64
	for n := int64(0); n*256 < tree.N; n++ {
		width := tree.N - n*256
		if width > 256 {
			width = 256
		}
		rest := bytes.NewReader(bundle(directory, n, width))
		for i := int64(0); i < width; i++ {
			var length uint16
			fail(binary.Read(rest, binary.BigEndian, &length))
			entry := make([]byte, length)
			_, err := rest.Read(entry)
			fail(err)
			proof, err := tlog.ProveRecord(tree.N, index, reader)
			fail(err)
			fail(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
			index++
		}
	}
	for _, path := range os.Args[4:] {
		old, err := os.ReadFile(path)
		fail(err)
		earlier := open(verifier, old, origin)
		proof, err := tlog.ProveTree(tree.N, earlier.N, reader)
		fail(err)
		fail(tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash))
	}
	fmt.Printf("%d entries, %d earlier checkpoints\n", index, len(os.Args)-4)
}
