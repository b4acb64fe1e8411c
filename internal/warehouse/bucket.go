package warehouse

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// A bucket is a shelf in object storage that speaks S3: Amazon's, Google's, MinIO
// and others. A file is written on this machine first, so that it is there as a
// whole or not at all, and so that little memory is needed.
type bucket struct {
	client *minio.Client
	name   string
	prefix string // ends with a slash, or is empty
}

// openBucket opens s3://BUCKET/PREFIX?endpoint=URL&region=NAME. Credentials are
// looked for where programs of that kind look: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY, MINIO_ACCESS_KEY and MINIO_SECRET_KEY, the files of both
// programs, and the machine's role.
func openBucket(place *url.URL) (*bucket, error) {
	endpoint, err := url.Parse(cmp.Or(place.Query().Get("endpoint"), "https://s3.amazonaws.com"))
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: the endpoint is no URL", place.Host)
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Secure: endpoint.Scheme == "https",
		Region: place.Query().Get("region"),
		// What fails is tried again by the stage, which says so.
		MaxRetries: 3,
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.FileAWSCredentials{}, &credentials.FileMinioClient{},
			&credentials.IAM{Client: &http.Client{Transport: http.DefaultTransport}},
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", place.Host, err)
	}
	b := &bucket{client: client, name: place.Host, prefix: strings.Trim(place.Path, "/")}
	if b.prefix != "" {
		b.prefix += "/"
	}

	return b, nil
}

func (b *bucket) explain(doing, name string, err error) error {
	return fmt.Errorf("%s s3://%s/%s%s: %w", doing, b.name, b.prefix, name, err)
}

func (b *bucket) begin(_ context.Context, name string) (page, error) {
	file, err := os.CreateTemp("", "trivia-*.draft")
	if err != nil {
		return nil, b.explain("begin", name, err)
	}
	// It has no name from here on: nobody else sees it, and a crash leaves nothing.
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, b.explain("begin", name, err)
	}

	return &upload{File: file, bucket: b, name: name}, nil
}

// An upload is a page that is put into a bucket.
type upload struct {
	*os.File

	bucket *bucket
	name   string
	size   int64
}

func (p *upload) finish() (err error) {
	p.size, err = p.Seek(0, io.SeekCurrent)

	return err
}

func (p *upload) keep(ctx context.Context) error {
	if _, err := p.Seek(0, io.SeekStart); err != nil {
		return p.bucket.explain("put", p.name, err)
	}
	_, err := p.bucket.client.PutObject(ctx, p.bucket.name, p.bucket.prefix+p.name, p.File, p.size, minio.PutObjectOptions{
		ContentType: "application/octet-stream",
	})
	if err != nil {
		return p.bucket.explain("put", p.name, err)
	}

	return nil
}

func (p *upload) drop() { _ = p.Close() }

func (b *bucket) list(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var names []string
	for object := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, b.explain("list", prefix, object.Err)
		}
		names = append(names, strings.TrimPrefix(object.Key, b.prefix))
	}

	return names, nil // S3 lists in order
}

func (b *bucket) open(ctx context.Context, name string) (book, int64, error) {
	object, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, b.explain("open", name, err)
	}
	info, err := object.Stat()
	if err != nil {
		_ = object.Close()
		return nil, 0, b.explain("open", name, err)
	}

	return object, info.Size, nil
}

func (b *bucket) read(ctx context.Context, name string) ([]byte, error) {
	object, _, err := b.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = object.Close() }()
	var text bytes.Buffer
	if _, err := text.ReadFrom(io.LimitReader(object, 1<<20)); err != nil {
		return nil, b.explain("read", name, err)
	}

	return text.Bytes(), nil
}

func (b *bucket) remove(ctx context.Context, name string) error {
	err := b.client.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{})
	if answer, ok := errors.AsType[minio.ErrorResponse](err); ok && answer.StatusCode == http.StatusNotFound && answer.Code == "NoSuchKey" {
		return nil
	}
	if err != nil {
		return b.explain("remove", name, err)
	}

	return nil
}
