package screen

import (
	"payterm"
	"payterm/flows"
)

// french is the French of Quebec: NIP for PIN, numériser for scan, a space before
// a colon and none before a question mark.
var french = texts{
	language: "fr", trials: frenchTrials,
	order: "Commande %s",
	wallets: map[payterm.Wallet]string{
		payterm.Alipay: payterm.Alipay.Name(), payterm.WeChatPay: payterm.WeChatPay.Name(), payterm.UnionPay: payterm.UnionPay.Name(),
	},

	idleTitle: "Prêt", idleLine: "Entrez le montant",
	alarms:   counted{"1 commande pour le superviseur", "%d commandes pour le superviseur"},
	late:     counted{"1 paiement en retard", "%d paiements en retard"},
	doubts:   counted{"1 paiement incertain", "%d paiements incertains"},
	offline:  "Pas de connexion",
	paperOut: "L'imprimante n'a plus de papier", paperNearEnd: "Il reste peu de papier",
	coverOpen: "Le couvercle de l'imprimante est ouvert", printerGone: "L'imprimante ne répond pas",
	statusOffline: "hors ligne", statusPaper: "papier!", statusQueue: "vérifie %d",

	amountTitle: "Montant", amountLine: "Qui numérise le code?",
	chooseTitle: "Quel portefeuille?",

	warningTitle: "Déjà payé?",
	warningCode:  "Un code de ce montant est encore affiché.",
	warningDoubt: "Un paiement de ce montant est encore incertain.",
	warningAsk:   "Facturer le client une autre fois?",
	pinTitle:     "Superviseur", pinLine: "Entrez votre NIP", pinWrong: "NIP erroné",
	signOnTitle: "Ouvrir une session", numberLine: "Entrez votre numéro", operator: "Opérateur %s",
	refundNumber: "Pour rembourser, entrez votre numéro.", personWrong: "Numéro ou NIP erroné",
	refusedTitle: "Impossible",
	waitMinutes:  counted{"Attendez une minute", "Attendez %d minutes"},

	scanTitle: "Numérisez le code", scanLine: "Tenez le téléphone du client devant le lecteur",
	sendingTitle: "Envoi", sendingLine: "Le paiement est en route",
	sendingActive: "Demande d'un code",
	redialling:    "Pas encore de connexion", redialling2: "Rien n'a été envoyé. Nouvel essai",
	showTitle:    "%s : numérisez",
	waitingTitle: "Le client confirme", waitingLine: "En attente du portefeuille",

	hintNotACode:    "Ce n'est pas un code de paiement. Numérisez celui du portefeuille",
	hintUsedCode:    "Ce code a déjà servi. Demandez-en un nouveau",
	hintOtherWallet: "Ce code est d'un autre portefeuille",
	hintTooEarly:    "Attendez encore quelques secondes",

	approvedTitle: "Approuvé", lateResult: "Payé en retard : gardez-le ou remboursez-le",
	withFee:       "Payé avec frais : %s",
	declinedTitle: "Refusé", declinedLine: "Rien n'a été débité",
	cancelledTitle: "Annulé", nothingSent: "Rien n'a été débité",
	notSentTitle: "Non envoyé", notSentLine: "Rien n'a été débité. Vous pouvez réessayer",
	doubtTitle: "Résultat inconnu", doubtPassive: "Ne facturez pas de nouveau",
	doubtAskWallet:   "Regardez le portefeuille du client",
	doubtActive:      "Pas encore payé. Le code du client peut encore l'être",
	doubtKeepsAsking: "Le terminal continue de vérifier",
	refundedTitle:    "Remboursé", refundedLine: "%s remis au client",
	refundPIN: "Pour rembourser, entrez votre NIP.", refundingTitle: "Remboursement",
	refundingLine: "Le portefeuille doit rendre l'argent", refundDone: "L'argent retourne au portefeuille du client",
	noMoneyBack: "Aucun argent n'a été remis", refundDoubt: "Remise non confirmée",
	codeOnPaper: "Donnez le code imprimé au client", codeUntil: "Payez avant %s", codeNoReceipt: "Ceci n'est pas un reçu",
	refundDoubtLine: "Ne remboursez pas encore autrement", keyReprint: "réimprimer",
	faultTitle: "Hors service", faultLine: "Aucune vente possible. Appelez le service",

	keyAmount: "montant", keyScan: "lire", keyShowCode: "montrer", keyPrintCode: "imprimer",
	keyBack: "retour", keyStop: "arrêter", keyGoOn: "facturer", keyOK: "ok",
	keyCancel: "annuler", keyLeave: "quitter", keyNext: "suivant",

	itself:   "Français",
	tipTitle: "Pourboire?", tipTotal: "en plus de %s", keyNoTip: "aucun", keyOwnTip: "autre",
	menuTitle: "Menu",
	tasks: map[flows.Task]string{
		flows.TaskLast: "Dernière vente", flows.TaskRefund: "Rembourser", flows.TaskWasPaid: "Est-ce payé?", flows.TaskOpen: "En suspens",
		flows.TaskLate: "Paiements en retard", flows.TaskX: "Total partiel (X)", flows.TaskZ: "Clore la journée (Z)", flows.TaskRate: "Taux de change",
		flows.TaskLanguage: "Langue",
		flows.TaskSignOff:  "Fermer la session",
	},
	findReceipt: "Numérisez le reçu ou entrez la fin de son numéro",
	findBill:    "Numérisez le numéro dans le portefeuille du client ou entrez-en la fin",
	lookingLine: "Un instant", emptyList: "Rien ici",
	outcomes: map[payterm.Outcome]string{
		payterm.Open: "Ouvert", payterm.Approved: "Approuvé", payterm.Declined: "Refusé", payterm.Cancelled: "Annulé",
		payterm.NotSent: "Non envoyé", payterm.InDoubt: "Incertain",
	},
	refundAll: "La totalité. Ou entrez une partie", refundPart: "Une partie de %s",
	settleTitle: "Décidé?", settleLine: "La commande quitte la liste. Le terminal ne déplace pas d'argent",
	closeLine: "Imprime le Z. Le reste passe au jour suivant",
	zTitle:    "Journée close : Z %d", noTotals: "Pas de totaux",
	sales: counted{"1 vente", "%d ventes"}, refunds: counted{"1 remboursement", "%d remboursements"},
	carried:  counted{"1 commande reportée", "%d commandes reportées"},
	rateLine: "CNY pour 1 %s", rateAge: counted{"datant de 1 minute", "datant de %d minutes"},
	aboutCNY: "environ %s (taux de %s)",
	rateNone: "Aucun taux pour l'instant", rateNote: "Le portefeuille fixe le vrai taux",
	verdictPaid: "Payé", verdictNotPaid: "Non payé",
	paidAfterAll: "Payé selon le service, mais pas ici. Ne facturez pas de nouveau. Appelez un superviseur",
	hintNotOurs:  "Pas une commande de ce terminal", hintNotANumber: "Ce n'est pas un numéro de commande",
	hintPaymentCode: "C'est un code de paiement. Numérisez le numéro de la commande", hintNoSupervisor: "Il faut le NIP d'un superviseur. Aucun n'est configuré",
	hintUnreadable: "Pas de réponse. Réessayez",
	keyChoose:      "choisir", keyMore: "suite", keyFind: "chercher", keyList: "liste", keyAsk: "vérifier", keyRefund: "rendre",
	keySettle: "régler", keyYes: "oui",

	reasons: map[payterm.Reason]string{
		payterm.ReasonCashier:       "Annulé à la caisse",
		payterm.ReasonNoScan:        "Aucun code numérisé à temps",
		payterm.ReasonNoCode:        "Aucun code n'a été reçu",
		payterm.ReasonNoConnection:  "Pas de connexion au service de paiement",
		payterm.ReasonCertificate:   "Le certificat du service de paiement n'est pas reconnu",
		payterm.ReasonRejected:      "Le service de paiement a rejeté la demande. Appelez le service",
		payterm.ReasonCodeInvalid:   "Le code est expiré ou non valide. Demandez-en un nouveau",
		payterm.ReasonWrongPassword: "Mot de passe erroné",
		payterm.ReasonWallet:        "Le portefeuille a refusé",
		payterm.ReasonRestarted:     "Le terminal a redémarré",
		payterm.ReasonStorage:       "Le journal ne peut pas être écrit",
		payterm.ReasonRefundCap:     "Plus que le reste de cette vente",
		payterm.ReasonRefundOpen:    "Un autre remboursement de cette vente est en cours",
		payterm.ReasonNotRefundable: "Cette vente n'a pas été payée",
		payterm.ReasonNoOperator:    "Personne n'a ouvert de session",
		payterm.ReasonDayLimit:      "Plus que la limite de la journée",
		payterm.ReasonLocked:        "Trop de NIP erronés",
	},
}
