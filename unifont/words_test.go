package unifont

import (
	"slices"
	"testing"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"  ", nil},
		{"one two", []string{"one", " two"}},
		{" one\t\n two ", []string{" one", " two"}},
		{"Total 12,34\u00a0$ ici", []string{"Total", " 12,34\u00a0$", " ici"}},
		{"付款，好。", []string{"付", "款，", "好。"}},
		{"请用Alipay扫码", []string{"请", "用", "Alipay", "扫", "码"}},
		{"约 5（汇率）", []string{"约", " 5", "（汇", "率）"}},
		{"迟到\u00a02，好", []string{"迟", "到\u00a02，", "好"}},
		{"（ 5 ，好", []string{"（ 5", " ，", "好"}},
		{"か\u3099な", []string{"か\u3099", "な"}},
		{"3 笔付款", []string{"3", " 笔", "付", "款"}},
	} {
		if got := slices.Collect(Words(c.text)); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		for range Words(c.text) {
			break // stopping early is allowed
		}
	}
}
