package arabic

import (
	"strings"
	"sync"
)

// The lists on this page are reviewed by hand: words of agreements and of cyber security whose forms the rules in
// stem_arabic.go would miss or spoil. Spelling is ordinary; Fold is applied when they are read.

// brokenPlurals has a lemma and its irregular forms on each line. Regular endings are the light stemmer's work.
const brokenPlurals = `
اتفاق اتفاقيات اتفاقية اتفاقات
التزام التزامات
حادث حوادث حادثة
خبير خبراء
دولة دول دولية دولي
هجوم هجمات هجمة هجومية هجومي
شبكة شبكات شبك
مؤشر مؤشرات
مبدأ مبادئ
قاعدة قواعد
معيار معايير
عضو أعضاء عضوية
طرف أطراف
شريك شركاء
جهة جهات
هيئة هيئات هيأة
وزير وزراء
وزارة وزارات
حكومة حكومات حكومي حكومية
منظمة منظمات
شركة شركات
جامعة جامعات
مركز مراكز
فريق فرق أفرقة
لجنة لجان
مجلس مجالس
اجتماع اجتماعات
تمرين تمارين تمرينات
تقرير تقارير
سجل سجلات
وثيقة وثائق
نص نصوص
بند بنود
مادة مواد
قانون قوانين قانونية قانوني
حق حقوق
قرار قرارات
إعلان إعلانات
بيان
بيانات
معلومة معلومات
خطر أخطار مخاطر
ثغرة ثغرات
تهديد تهديدات
جريمة جرائم
مجرم مجرمون مجرمين
ضحية ضحايا
برنامج برامج
برمجية برمجيات
نظام أنظمة نظم
جهاز أجهزة
خادم خوادم
حاسوب حواسيب
موقع مواقع
عنوان عناوين
نطاق نطاقات
ملف ملفات
رسالة رسائل
بريد
مفتاح مفاتيح
توقيع تواقيع توقيعات
شهادة شهادات
مصدر مصادر
دليل أدلة
أداة أدوات
هدف أهداف
غرض أغراض
سبب أسباب
تدبير تدابير
إجراء إجراءات
جهد جهود
قطاع قطاعات
مصرف مصارف
بنك بنوك
مستشفى مستشفيات
محطة محطات
مطار مطارات
ميناء موانئ
سد سدود
طاقة طاقات
خدمة خدمات
طلب طلبات
رد ردود
جواب أجوبة
موعد مواعيد
شهر أشهر شهور
يوم أيام
سنة سنوات سنين
ساعة ساعات
رئيس رؤساء
سفير سفراء
مندوب
ممثل
مسؤول مسئول مسؤولون مسؤولين مسئولون مسئولين
مسؤولية مسئولية مسؤوليات
بلد بلدان بلاد
حليف حلفاء
خصم خصوم
عدو أعداء
مخترق
قرصان قراصنة
جاسوس جواسيس
فيروس فيروسات
فدية فديات
إقليم أقاليم إقليمي إقليمية
مبادرة مبادرات
نداء نداءات
دعوة دعوات
مذكرة مذكرات
معاهدة معاهدات
ميثاق مواثيق
عالم عوالم عالمي عالمية
رقم أرقام رقمي رقمية
باحث باحثون باحثين
خطة خطط
سياسة سياسات
تجربة تجارب
درس دروس
مشكلة مشاكل مشكلات
حل حلول
سلاح أسلحة
حرب حروب
`

// articleLetters are words that begin with ا ل of their own.
const articleLetters = `
التزام التزامات التزامها التزاماتها التزاماته ملتزم إلكتروني إلكترونية إلكترونيا إلكترونيات ألمانيا ألماني ألمانية ألمان ألبانيا
إلغاء إلزام إلزامي إلزامية آلية آليات آلي آلية الله التماس التقاء التباس التهاب التحاق التفاف التقاط التي الذي الذين اللذان
إلى إلا ألا ألف آلاف ألم آلام إلمام إلحاق إلقاء والتزام والتزامات وإلكتروني وإلكترونية وإلى وآلية وآليات بإلغاء بالتزام بالتزامات بالتزاماتها
`

// firstLetters are words whose و ف ب ك ل is their own, not a particle.
const firstLetters = `
وزارة وزارات وزاره وزير وزراء وزاري وزارية وطني وطنية وثيقة وثائق وكالة وكالات ولاية ولايات وفود واجب واجبات وحدة وحدات واشنطن واقع
وقاية وقائي وقائية وساطة وسيط وسائل وسيلة وصول وصاية ورشة وعود وديع وضعية واردات وظيفة وظائف
فريق فيروس فيروسات فدية فدرالي فدرالية فيدرالي فرنسا فرنسي فرنسية فضاء فضائي فاعل فاعلة فاعلون فعالية فعاليات فلسطين فنلندا فهرس
بروتوكول بروتوكولات برنامج برامج برمجية برمجيات بيانات بيان بنية بنوك بلاغ بلاغات بريد بريطانيا بريطاني بريطانية باريس بكين بلدان برلمان برلماني
بحوث باحث باحثون باحثين بوابة بوابات بلجيكا بولندا برازيل بطاقة بطاقات بحرين بداية بديل بدائل
لجنة لجان لبنان لبناني لبنانية لائحة لوائح لقاء لقاءات لاحق لاحقة لتوانيا لاتفيا لكسمبورغ ليبيا لغات لغوي لوجستي لوجستية
كشوف كلمات كندا كندي كندية كويت كيانات كيان كوريا كوري كورية كفاءة كفاءات كامل كاملة كارثة كوارث كتاب كتابة كمبيوتر كبير كبيرة
`

// ownEndings are words whose last letters look like an ending and are not.
const ownEndings = `
محاكم تعاون إنترنت قانون لبنان بيان برلمان ميزان أمان ضمان عدوان إعلان برهان طوفان بلدان زمان مكان إيران اليابان ياباني يابان باكستان ألمانيا
مراكز سكان إنسان لسان عنوان ميدان كيان
`

func words(list string) map[string]struct{} {
	m := make(map[string]struct{})
	for w := range strings.FieldsSeq(list) {
		m[Fold(w)] = struct{}{}
	}
	return m
}

// tables are the lists above, folded. They are built once, at first use, and only read afterwards.
var tables = sync.OnceValue(func() (t struct {
	lemmas                  map[string]string
	article, first, endings map[string]struct{}
}) {
	t.lemmas = make(map[string]string)
	for line := range strings.Lines(brokenPlurals) {
		forms := strings.Fields(line)
		for _, f := range forms {
			f = Fold(f)
			if _, taken := t.lemmas[f]; !taken {
				t.lemmas[f] = Fold(forms[0])
			}
		}
	}
	t.article, t.first, t.endings = words(articleLetters), words(firstLetters), words(ownEndings)
	return t
})

// lemma returns the lemma of a folded form, when the reviewed list has it.
func lemma(w string) (string, bool) {
	l, ok := tables().lemmas[w]
	return l, ok
}

func ownArticleLetters(w string) bool { _, ok := tables().article[w]; return ok }
func ownFirstLetter(w string) bool    { _, ok := tables().first[w]; return ok }
func ownEnding(w string) bool         { _, ok := tables().endings[w]; return ok }
