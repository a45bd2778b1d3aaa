package screen

import (
	"payterm"
	"payterm/flows"
)

// chinese is Simplified Chinese, with the wallets' own names.
var chinese = texts{
	language: "zh", trials: chineseTrials,
	order:   "订单 %s",
	wallets: map[payterm.Wallet]string{payterm.Alipay: "支付宝", payterm.WeChatPay: "微信支付", payterm.UnionPay: "银联"},

	idleTitle: "准备就绪", idleLine: "请输入金额",
	alarms:   counted{"", "%d 笔订单需要主管处理"},
	late:     counted{"", "%d 笔付款延迟到账"},
	doubts:   counted{"", "%d 笔付款结果未知"},
	offline:  "无法连接支付平台",
	paperOut: "打印机缺纸", paperNearEnd: "打印纸即将用完",
	coverOpen: "打印机盖未关好", printerGone: "打印机没有响应",
	statusOffline: "离线", statusPaper: "打印机!", statusQueue: "查询 %d",

	amountTitle: "金额", amountLine: "由谁扫码？",
	chooseTitle: "选择钱包",

	warningTitle: "是否已付款？",
	warningCode:  "相同金额的付款码仍在显示。",
	warningDoubt: "一笔相同金额的付款结果未知。",
	warningAsk:   "要向顾客再收一次吗？",
	pinTitle:     "主管", pinLine: "请输入密码", pinWrong: "密码错误",

	scanTitle: "请扫顾客的付款码", scanLine: "将手机对准扫描器",
	sendingTitle: "正在发送", sendingLine: "正在向钱包发送付款请求",
	sendingActive: "正在获取收款码",
	redialling:    "尚未连接", redialling2: "什么都没有发出，正在重试",
	showTitle:    "请用%s扫码",
	waitingTitle: "等待顾客确认", waitingLine: "等待钱包回复",

	hintNotACode:    "这不是付款码，请扫钱包里的付款码",
	hintUsedCode:    "此码已经用过，请顾客刷新",
	hintOtherWallet: "此码属于其他钱包",
	hintTooEarly:    "请再等几秒",

	approvedTitle: "付款成功", lateResult: "付款延迟到账：保留或退款",
	withFee:       "含手续费实付 %s",
	declinedTitle: "付款被拒", declinedLine: "没有扣款",
	cancelledTitle: "已取消", nothingSent: "没有扣款",
	notSentTitle: "没有发出", notSentLine: "没有扣款，可以重试",
	doubtTitle: "结果未知", doubtPassive: "请勿再次收款",
	doubtAskWallet:   "请看顾客钱包里的记录",
	doubtActive:      "目前未付，顾客仍可能付款",
	doubtKeepsAsking: "终端会继续查询",
	refundedTitle:    "已退款", refundedLine: "%s 已退给顾客",
	refundPIN: "退款请输入密码", refundingTitle: "正在退款",
	refundingLine: "正在请钱包退回款项", refundDone: "款项将退回顾客的钱包",
	noMoneyBack: "没有退款", refundDoubt: "退款未确认",
	codeOnPaper: "请把打印的码交给顾客", codeUntil: "请在 %s 前付款", codeNoReceipt: "这不是收据",
	refundDoubtLine: "请先不要用其他方式退款", keyReprint: "重印",
	faultTitle: "暂停服务", faultLine: "无法收款，请联系维修",

	keyAmount: "金额", keyScan: "扫顾客码", keyShowCode: "显示码", keyPrintCode: "打印码",
	keyBack: "返回", keyStop: "停止", keyGoOn: "收款", keyOK: "确定",
	keyCancel: "取消", keyLeave: "离开", keyNext: "下一笔",

	itself:   "中文",
	tipTitle: "小费？", tipTotal: "另加在 %s 上", keyNoTip: "不给", keyOwnTip: "其他",
	menuTitle: "菜单",
	tasks: map[flows.Task]string{
		flows.TaskLast: "上一笔", flows.TaskRefund: "退款", flows.TaskWasPaid: "是否已付？", flows.TaskOpen: "未完成与未知",
		flows.TaskLate: "延迟到账", flows.TaskX: "当前合计 (X)", flows.TaskZ: "日结 (Z)", flows.TaskRate: "汇率",
		flows.TaskLanguage: "语言",
	},
	findReceipt: "请扫收据条码，或输入订单号末几位",
	findBill:    "请扫顾客钱包账单中的单号，或输入末几位",
	lookingLine: "请稍候", emptyList: "没有记录",
	outcomes: map[payterm.Outcome]string{
		payterm.Open: "进行中", payterm.Approved: "付款成功", payterm.Declined: "被拒", payterm.Cancelled: "已取消",
		payterm.NotSent: "没有发出", payterm.InDoubt: "结果未知",
	},
	refundAll: "全额退款，或输入部分金额", refundPart: "%s 中的一部分",
	settleTitle: "已处理？", settleLine: "订单将移出列表，终端不会动用款项",
	closeLine: "打印日结单，未完成的转到下一天",
	zTitle:    "已日结：Z %d", noTotals: "无法合计",
	sales: counted{"", "%d 笔销售"}, refunds: counted{"", "%d 笔退款"},
	carried:  counted{"", "%d 笔未完成，转到下一天"},
	rateLine: "人民币元，兑 1 %s", rateAge: counted{"", "%d 分钟前"},
	aboutCNY: "约 %s（%s 汇率）",
	rateNone: "暂时没有汇率", rateNote: "实际汇率以钱包为准",
	verdictPaid: "已付款", verdictNotPaid: "没有付款",
	paidAfterAll: "支付平台显示已付款，本机没有记录。请勿再次收款，请找主管",
	hintNotOurs:  "不是本机的订单", hintNotANumber: "这不是订单号",
	hintPaymentCode: "这是付款码，请扫订单号", hintNoSupervisor: "退款需要主管密码，尚未设置",
	hintUnreadable: "没有回复，请重试",
	keyChoose:      "选择", keyMore: "更多", keyFind: "查找", keyList: "列表", keyAsk: "查询", keyRefund: "退款",
	keySettle: "处理", keyYes: "是",

	reasons: map[payterm.Reason]string{
		payterm.ReasonCashier:       "收银员已取消",
		payterm.ReasonNoScan:        "无人及时扫码",
		payterm.ReasonNoCode:        "没有收到收款码",
		payterm.ReasonNoConnection:  "无法连接支付平台",
		payterm.ReasonCertificate:   "支付平台的证书不可信",
		payterm.ReasonRejected:      "支付平台拒绝了请求，请联系维修",
		payterm.ReasonCodeInvalid:   "付款码过期或无效，请顾客刷新",
		payterm.ReasonWrongPassword: "密码错误",
		payterm.ReasonWallet:        "钱包拒绝付款",
		payterm.ReasonRestarted:     "终端已重新启动",
		payterm.ReasonStorage:       "无法写入记录",
		payterm.ReasonRefundCap:     "超过这笔销售的余额",
		payterm.ReasonRefundOpen:    "这笔销售的另一退款正在进行",
		payterm.ReasonNotRefundable: "这笔销售没有付款",
	},
}
