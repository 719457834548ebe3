"""Words that every report has, whatever it is about: what two texts have in common with them says nothing.

How common a word is, is counted around each pair; this list is for stores too small to tell.
"""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa

from transforms.functions.shingling import WordHashes, hash_words_and_terms

_WORDS = """
about above across added adding after again against agreed ahead allow allowed almost along already also although among
amid amount announced another anyone appeared area around asked away back based became because become been before began
behind being believe below better between beyond both bring brought called came cannot change city close come coming
comment company continue could country current data days decision decided despite does doing done down during each
earlier early either else ended enough even ever every expected face fact failed family fear figures final find first
five following former found four friday from full further gave general give given goes going gone good government great
group half have having head held help here high higher hours however idea important inside instead into issue itself
just keep kept know known large last late later latest least left less like likely line little local long longer look
made main major make making many matter mean meanwhile media meet meeting member members might million minister
minutes monday money month months more morning most move much must name national near nearly need never news next
night nine nothing number office officer official officials often once only open order other others outside over own
part parts past people percent person place plan planned plans point police position possible power present president
press private problem process public question quite rather reach reached reason received recent recently remain
remained report reported reporters reports result rise risk role saturday said same saying says second secretary
security seen senior sent service seven several should show showed side since situation some someone something soon
source sources speak spokesman spokeswoman staff start started state statement states still stop such sunday support
sure system take taken taking talk talks tell than thank that their them themselves then there these they thing things
think third this those though thought three through thursday time times today together told took total toward towards
tuesday turn under until upon used using very view visit want wanted week wednesday weeks well went were what when where
whether which while whole whose will with within without woman word words work worked working world would year years
yesterday your
هذا هذه ذلك تلك الذي التي الذين اللذين اللتين هناك هنا حيث كما لكن ولكن غير بعد قبل عند عندما بين خلال حول دون تحت فوق
أمام خلف ضمن منذ حتى أيضا كذلك أكثر أقل كل بعض جميع كافة معظم أحد إحدى آخر أخرى الأخرى الآخر نفس ذات مثل لدى لدي عبر
قال قالت أضاف وأضاف أضافت أكد أكدت وأكد أوضح وأوضح أوضحت أشار وأشار أشارت ذكر ذكرت أعلن أعلنت كشف كشفت أفاد أفادت صرح
كان كانت يكون تكون كانوا ليس ليست أصبح أصبحت سوف يمكن يجب قام قامت تم يتم تمت جاء جاءت عن على إلى من في مع التي وهو وهي
اليوم أمس غدا الماضي الماضية المقبل المقبلة القادم القادمة الحالي الحالية الآن يوم أيام شهر أشهر عام أعوام سنة سنوات
ساعة ساعات مساء صباح الأول الأولى الثاني الثانية الثالث مرة عدد عدة نحو حوالي أكبر كبير كبيرة جديد جديدة عام عامة خاصة
رئيس الرئيس وزير الوزير مدير المدير مسؤول المسؤولين الناطق المتحدث باسم الحكومة الدولة دولة الدول البلاد مدينة المدينة
منطقة المنطقة محافظة المملكة الوزارة الشركة العمل إن أن أنه أنها بأن لأن وأن وقال وقالت وكان وكانت ولم ولا فيما مما
بشأن بسبب نتيجة إذا إذ قد لقد فقد وقد بما لما كيف ماذا لماذا هل حال حالة وضع الوضع أمر الأمر شخص أشخاص الناس مصدر مصادر
"""


@functools.cache
def common_terms() -> WordHashes:
    """The terms of all such words: uint32[n], ascending."""
    _, _, terms = hash_words_and_terms(pa.array([" ".join(_WORDS.split())]))
    return np.unique(terms)
