package unifont

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// joined lists the Chinese words of our own screens and slips that have more than one character. No line ends
// inside one of them. The list is complete: a text with another word fails a test of screen or receipt until
// the word is added here.
const joined = `
U盘 一两 一分钟 一切 一次 一种 一笔 一笔款 一部分 上一笔 上次 下一天 下一笔
下一项 下次 下载 不会 不动 不可信 不完整 不对 不明 不是 不符 不给 不能 不要
不足 不适用于 不通 丢失 约合 移动 电子 两种 中文 中间 为准 主管 之后 交付 交易 交给 人民币
仍在 付款 付款人 付款码 余额 使用 保留 信任 做得对 停止 元兑 全退 全额 关好
关闭 其他 内容 再次 再试 写保护 写入 净额 准备就绪 几秒 几秒钟 凭证 分钟
分钟前 切纸 列表 制作 刷新 副本 动用 单号 单据 占用 即将 原订单 参考号 及时
发出 发送 取出 取消 另一 另加 只读 可以 可凭 可用 可能 合上 合计 同额 名单
听到 启动 响应 响铃 商店 商户 商户号 商户联 回复 回应 培训 处理 太久 太旧
太长 失败 如果 存储 存储卡 存有 安装 完成 实付 实际 密码 密钥 对准 小票 小计
小费 尚无 尚未 屏幕 属于 工号 已满 已经 币种 布局 平台 延迟 延迟到账 开始
当前 当日 待查 微信支付 恢复 情况 成功 截至 所有 手机 手续费 打印 打印机
打印码 打印纸 打开 扣款 扫描 扫描器 扫码 扫码器 拒绝 拔出 指示灯 损坏 换用
接受 插入 操作员 支付宝 支付平台 收到 收据 收款 收款码 收银员 收银机 改动 放弃
故障 数字 数据 文件 文字 新的 方式 无人 无应答 无效 无权 无法 无线网 日志
日期 日结 日结单 旧版 旧版本 时钟 时间 是否 显示 显示码 暂不 暂停 暂时 更多
更换 更新 曾在 曾经 有小票 有效 服务 服务人员 未完 未完成 未知 未能 末几位
本单 本机 本机型 机型 机盖 条码 查不到 查到 查找 查看 查询 检修 检查 检验
模拟 次数 次日 款项 正在 正常 正确 此码 汇率 没有 测试 测试单 清理 灰阶 版本
生效 用完 用过 由谁 登录 盖子 目前 相同 真实 真正 确定 确认 离开 离线
程序 稍候 稍后 稍等 空闲 空间 符号 等待 签发者 签名 签名者 类型 索取 纸卷
练习 终端 结束 结果 给出 继续 维修 缺纸 网关 网线 网络 联系 自检 获取 菜单
营业日 蜂鸣器 被拒 装好 装纸 装纸卷 要求 警告 订单 订单号 记为 记录 设备 设定
设置 设置码 访问 证书 识别 该版本 语言 误读 说明 请求 读取 谢谢 账单 账单号
超时 超过 路由器 转入 转到 较新 输入 边框 过多 过期 运行 返回 还是 还有 这笔
进行 进行中 连接 连线 退出登录 退回 退款 退还 选择 通过 遇到 部分 配置 重印
重启 重复 重扫 重新 重试 金额 钱包 银联 销售 错了 错误 键盘 限额 需要 顾客
顾客码 顾客联 颜色 换用户
员工 管理 更改 报表 新增 须为 两次 不一致 用于 新工号 只有
`

// words returns joined by the words' first characters, the longest word first.
var words = sync.OnceValue(func() map[rune][]string {
	byFirst := map[rune][]string{}
	for word := range strings.FieldsSeq(joined) {
		first, _ := utf8.DecodeRuneInString(word)
		byFirst[first] = append(byFirst[first], word)
	}
	for _, list := range byFirst {
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	return byFirst
})

// wordLength returns the length in bytes of the longest word of joined at the start of a text, or 0 if there is
// none.
func wordLength(text string, first rune) int {
	for _, w := range words()[first] {
		if strings.HasPrefix(text, w) {
			return len(w)
		}
	}
	return 0
}
