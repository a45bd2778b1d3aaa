package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fill writes orders of two events each into a file in bulk: the oldest are closed and in a Z,
// the youngest are open.
func fill(b *testing.B, path string, orders, open int) {
	b.Helper()
	s := benchStore(b, path)
	for _, query := range []string{
		`DROP TRIGGER z_next`,
		`PRAGMA synchronous = OFF`,
		`INSERT INTO z (number, at) VALUES (1, 1800000000000)`,
		fmt.Sprintf(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
			INSERT INTO orders (n, order_id, closed, outcome, attention, kind, mode, wallet, amount_minor,
				tip_minor, paid_minor, currency, idempotency_key, code_key, row, z)
			SELECT i, printf('T1OLD00%%06d', i), i <= %d, iif(i <= %[2]d, 'approved', 'in_doubt'), '', 'sale',
				'passive', 'ALIPAY', 1234, 0, iif(i <= %[2]d, 1234, 0), 'CAD', NULL, printf('%%064x', i * 1000003),
				printf('{"order_id":"T1OLD00%%06d","filler":"%s"}', i), iif(i <= %[2]d, 1, NULL)
			FROM c WHERE %[1]d > 0`, orders, orders-open, strings.Repeat("x", 400)),
		`INSERT INTO journal SELECT n * 2 - 1, order_id, 'sale_began', '{"n":1}', 'AAAAA', 5, 1800000000000,
			randomblob(32), randomblob(32) FROM orders`,
		`INSERT INTO journal SELECT n * 2, order_id, 'payment_answered', '{"n":1}', 'AAAAA', 5, 1800000000000,
			randomblob(32), randomblob(32) FROM orders`,
		`INSERT INTO outbox SELECT order_id, 'inquire', 1800000000000 FROM orders WHERE closed = 0`,
	} {
		if orders == 0 {
			break
		}
		if _, err := s.db.Exec(query); err != nil {
			b.Fatalf("%.60s: %v", query, err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	if err := syncFile(path); err != nil { // or the first start would wait for the bulk's writes
		b.Fatal(err)
	}
}

var benchTag int

func benchStore(b *testing.B, path string) *Store {
	b.Helper()
	benchTag++
	s, err := childStore(path, evening, fmt.Sprintf("%05d", benchTag))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkStart is storage's part of a start: Open, open orders, queue. It must not grow with
// the closed orders: times-empty compares it with an empty journal in the same run.
func BenchmarkStart(b *testing.B) {
	var empty time.Duration
	for _, c := range []struct{ orders, open int }{{0, 0}, {1_000_000, 0}, {10_000, 10_000}} {
		b.Run(fmt.Sprintf("orders=%d/open=%d", c.orders, c.open), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "payterm.db")
			fill(b, path, c.orders, c.open)
			for b.Loop() {
				s := benchStore(b, path)
				open, err := s.OpenOrders()
				if err != nil || len(open) != c.open {
					b.Fatal(len(open), err)
				}
				if _, err := s.Attention(); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			each := b.Elapsed() / time.Duration(b.N)
			if c.orders == 0 {
				empty = each
			} else if empty > 0 {
				b.ReportMetric(float64(each)/float64(empty), "times-empty")
			}
		})
	}
}

// BenchmarkCommit is a sale of two events. Alternating with it, the same number of bytes is
// appended to a plain file with a sync for each event, which is what the disk can do at that
// moment.
func BenchmarkCommit(b *testing.B) {
	for _, open := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("open=%d", open), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "payterm.db")
			fill(b, path, open, open)
			s := benchStore(b, path)
			f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			sales, size, bare := 0, int64(0), time.Duration(0)
			for b.Loop() {
				before := written(b)
				if err := childSale(s, s.Commit); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				n := written(b) - before
				block, began := make([]byte, n/2), time.Now()
				for range 2 {
					if _, err := f.Write(block); err != nil {
						b.Fatal(err)
					}
					if err := f.Sync(); err != nil {
						b.Fatal(err)
					}
				}
				sales, size, bare = sales+1, size+n, bare+time.Since(began)
				b.StartTimer()
			}
			b.ReportMetric(float64(size)/float64(sales), "B-written/sale")
			b.ReportMetric(float64(2*sales)/b.Elapsed().Seconds(), "commits/s")
			b.ReportMetric(float64(bare)/float64(b.Elapsed()), "of-bare-appends")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// written is how many bytes this process has written.
func written(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Fatal(err)
	}
	var n int64
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "wchar: %d", &n); err == nil {
			return n
		}
	}
	b.Fatalf("no wchar in %q", text)
	return 0
}
