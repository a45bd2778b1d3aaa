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
		{"Au client : 5,00 ; oui ?", []string{"Au", " client :", " 5,00 ;", " oui ?"}},
		{"au: client", []string{"au:", " client"}},
		{"付款，好。", []string{"付款，", "好。"}},
		{"请用Alipay扫码", []string{"请", "用", "Alipay", "扫码"}},
		{"约 5（汇率）", []string{"约", " 5", "（汇率）"}},
		{"迟到\u00a02，好", []string{"迟", "到\u00a02，", "好"}},
		{"（ 5 ，好", []string{"（ 5", " ，", "好"}},
		{"付款码无效", []string{"付款码", "无效"}},
		{"茶餐廳付款", []string{"茶", "餐", "廳", "付款"}},
		{"插入U盘", []string{"插入", "U盘"}},
		{"主管999, 12位", []string{"主管999,", " 12位"}},
		{"机盖!合(Z)", []string{"机盖!", "合", "(Z)"}},
		{"か\u3099な", []string{"か\u3099", "な"}},
		{"3 笔付款", []string{"3", " 笔", "付款"}},
	} {
		if got := slices.Collect(Words(c.text)); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		for range Words(c.text) {
			break // stopping early is allowed
		}
	}
}
