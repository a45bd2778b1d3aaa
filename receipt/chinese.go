package receipt

// chinese is Simplified Chinese.
var chinese = texts{
	language: "zh",
	copyMark: "副本", merchantCopy: "商户联", customerCopy: "顾客联",
	lateTitle: "延迟到账", lateLine: "放弃交易之后才付款。请保留或退款。",
	doubtTitle:    "结果尚未确定",
	doubtLine:     "这笔付款是否完成尚未确定，终端会继续查询。本单不是付款凭证。",
	doubtNext:     "请查看您的钱包：如果已显示付款，请勿再付。请保留本单，商店可凭订单号查到结果。",
	resolvedTitle: "结果已确定",
	resolvedPaid:  "此订单已经付款。", resolvedUnpaid: "此订单没有付款，没有扣款。",
	kind: "类型", sale: "销售", refund: "退款",
	refunded: "已退款", saleOrder: "原订单",
	wallet: "钱包", amount: "金额", tip: "小费", fee: "手续费", total: "合计",
	approved: "付款成功", declined: "付款被拒", cancelled: "已取消",
	notSent: "没有发出", inDoubt: "结果未知",
	order: "订单", channelOrder: "钱包单号", date: "日期", noClock: "时钟未设定",
	walletTime: "钱包时间", payer: "付款人", code: "付款码", rate: "汇率", inCNY: "约合人民币", receiptQR: "电子收据",
	ref: "参考号", operator: "操作员", supervisor: "主管", byPIN: "凭密码", locally: "本机", terminal: "终端", merchantID: "商户号",
	thanks: "谢谢", notMoney: "没有真实款项",
	xTitle: "X 小计", xLine: "截至目前，营业日继续", zTitle: "Z 日结 %d",
	day: "营业日", from: "从", to: "至", sales: "%d 笔销售", refunds: "%d 笔退款",
	net: "净额", open: "%d 笔尚未完成", carried: "%d 笔尚未完成，转入下次", head: "日志",
	codeScanned: "扫顾客码", codeShown: "顾客扫码",
	alipay: "支付宝", wechatPay: "微信支付", unionPay: "银联",
}
