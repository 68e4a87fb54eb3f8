// What Go's standard library reads of a request. Usage: go run read.go PORT
package main

import (
	"encoding/json"
	"encoding/xml"
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
)

func texts(value any, found *[]string) {
	switch inner := value.(type) {
	case map[string]any:
		for name, one := range inner {
			*found = append(*found, name)
			texts(one, found)
		}
	case []any:
		for _, one := range inner {
			texts(one, found)
		}
	case string:
		*found = append(*found, inner)
	}
}

func read(answer http.ResponseWriter, request *http.Request) {
	found := []string{}
	kind := strings.ToLower(request.Header.Get("Content-Type"))
	body, _ := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	if strings.Contains(kind, "json") {
		var value any
		// As most handlers do: the first document of the stream.
		if json.NewDecoder(bytes.NewReader(body)).Decode(&value) == nil {
			texts(value, &found)
		}
	} else if strings.Contains(kind, "xml") {
		decoder := xml.NewDecoder(bytes.NewReader(body))
		for {
			token, err := decoder.Token()
			if err != nil {
				break
			}
			switch one := token.(type) {
			case xml.StartElement:
				found = append(found, one.Name.Local)
				for _, attribute := range one.Attr {
					found = append(found, attribute.Name.Local, attribute.Value)
				}
			case xml.CharData:
				found = append(found, string(one))
			}
		}
	}
	request.ParseMultipartForm(1 << 20)
	for name, values := range request.Form {
		found = append(append(found, name), values...)
	}
	if request.MultipartForm != nil {
		for name, files := range request.MultipartForm.File {
			for _, file := range files {
				found = append(found, name, file.Filename)
			}
		}
	}
	for _, cookie := range request.Cookies() {
		found = append(found, cookie.Name, cookie.Value)
	}
	answer.Header().Set("Content-Type", "application/json")
	json.NewEncoder(answer).Encode(found)
}

func main() {
	http.HandleFunc("/", read)
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
