// Mkimage writes an image archive of one layer from local files: no container engine, no image registry.
//
//	mkimage TAG ARCHIVE ENTRYPOINT FILE:PATH…
//
// It runs as uid 65532: Pods with runAsNonRoot need a user that is a number. `ctr images import` and `docker load` read it.
// The same files make the same archive.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("mkimage: too few arguments (expected: TAG ARCHIVE ENTRYPOINT FILE:PATH…)")
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		log.Fatalf("mkimage: %v", err)
	}
}

func write(tag, path, entrypoint string, files []string) error {
	layer, err := layer(files)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(layer)
	hash := hex.EncodeToString(digest[:])
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": []string{entrypoint}, "User": "65532:65532", "Env": []string{"PATH=/"}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hash}},
	})
	if err != nil {
		return err
	}
	digest = sha256.Sum256(config)
	name := hex.EncodeToString(digest[:]) + ".json"
	manifest, err := json.Marshal([]any{map[string]any{
		"Config": name, "RepoTags": []string{tag}, "Layers": []string{hash + "/layer.tar"},
	}})
	if err != nil {
		return err
	}
	return archive(path, entry{name, config}, entry{hash + "/layer.tar", layer}, entry{"manifest.json", manifest})
}

// The root file system: the files, a temporary folder and names for the two users.
func layer(files []string) ([]byte, error) {
	var buffer bytes.Buffer
	out := tar.NewWriter(&buffer)
	folders := []tar.Header{{Name: "tmp/", Mode: 0o1777}, {Name: "etc/", Mode: 0o755}}
	for _, folder := range folders {
		folder.Typeflag = tar.TypeDir
		if err := out.WriteHeader(&folder); err != nil {
			return nil, err
		}
	}
	users := []byte("root:x:0:0::/:/\nnonroot:x:65532:65532::/:/\n")
	if err := add(out, entry{"etc/passwd", users}, 0o644); err != nil {
		return nil, err
	}
	for _, file := range files {
		source, target, found := strings.Cut(file, ":")
		if !found {
			return nil, fmt.Errorf("%s: no colon (expected: FILE:PATH)", file)
		}
		data, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		if err := add(out, entry{strings.TrimPrefix(target, "/"), data}, 0o755); err != nil {
			return nil, err
		}
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

type entry struct {
	name string
	data []byte
}

// Put in place by a rename: nobody reads half an archive.
func archive(path string, entries ...entry) error {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	defer file.Close()
	out := tar.NewWriter(file)
	for _, each := range entries {
		if err := add(out, each, 0o644); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func add(out *tar.Writer, each entry, mode int64) error {
	header := tar.Header{Typeflag: tar.TypeReg, Name: each.name, Mode: mode, Size: int64(len(each.data))}
	if err := out.WriteHeader(&header); err != nil {
		return err
	}
	_, err := io.Copy(out, bytes.NewReader(each.data))
	return err
}
