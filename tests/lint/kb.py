#!/usr/bin/env python3
"""tests/regress/KB.md says what proves each rule learnt from the support articles: every test it names exists,
every test of the suite Regress is named, every row has a test or a reason, and every article of the list below
stands there once or more. Prints how many rows are open."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join("tests", "regress", "KB.md")
TEST = re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
NAMED = re.compile(r"`(\w+\.\w+)`")

# The articles of themes A and D to M.
LISTED = """
Q184524 Q181797 Q143375 Q216476 Q238189 Q107091 Q198958 Q239420 Q136004 Q232391 Q274200 Q196895 Q159181
Q174035 Q241502 Q151249 Q168356 Q171214 Q184052 Q183588 Q179677 Q184054 Q166556 Q154099 Q232687 Q234350
Q249133 Q241553 Q196255 Q241988 Q185593 Q237588 Q156063 Q197258 Q229314 Q247647 Q244129 Q152432 Q152864
Q140940 Q191262 Q166616 Q230331 Q166247 Q258704 Q258705 Q201470 Q176538 Q156997 Q156703 Q254725 Q185592
Q183064 Q176425 Q224565 Q159189 Q193842 Q174207 Q128440 Q216492 Q194191 Q164697 Q152953 Q176871 Q192023
Q146681 Q192514 Q236601 Q151700 Q194321 Q186235 Q201058 Q170535 Q231803 Q192519 Q103800 Q194144 Q128431
Q245740 Q145875 Q180641 Q165482 Q192595 Q182040 Q173491 Q170137 Q233325 Q178094 Q175475 Q161839 Q153590
Q192054 Q239009 Q161933 Q224597 Q197115 Q197291 Q192085 Q259219 Q154595 Q281734 Q254064 Q252819 Q214565
Q119054 Q107095 Q237189 Q184991 Q146782 Q275504 Q156844 Q115446 Q141970 Q176045 Q182232 Q185905 Q288240
Q190041 Q149780 Q281835 Q250558 Q176396 Q176146 Q124745 Q217193 Q187643 Q254916 Q185180 Q183481 Q184718
Q168533 Q176680 Q183598 Q153464 Q152915 Q222508 Q192940 Q186915 Q159303 Q175841 Q199051 Q216767 Q130436
Q98209 Q85055 Q134371 Q181130 Q216473 Q232384 Q99853 Q252624 Q237838 Q176710 Q247018 Q249111 Q255882
Q157014 Q157693 Q163080 Q155016 Q157735 Q146473 Q176185 Q175105 Q166532 Q166615 Q166606 Q166533 Q182144
Q182166 Q157000 Q155819 Q166577 Q194505 Q195215 Q178709 Q193256 Q197394 Q196615 Q169678 Q159304 Q164855
Q258505 Q177961 Q195894 Q252689 Q192887 Q175437 Q157008 Q279175 Q201278 Q174722 Q190297 Q192593 Q186216
Q192700 Q166610 Q195203 Q197363 Q202240 Q184053 Q237886 Q238784 Q152166 Q190557 Q159190 Q166573 Q196853
Q187581 Q258319 Q228534 Q175704 Q167393 Q175580 Q164662 Q118595 Q118487 Q159175 Q170060 Q188222 Q221235
Q181955 Q184534 Q186833 Q192932 Q196343 Q182083 Q146263 Q232370 Q238430 Q166598 Q191163 Q146598 Q175104
Q164859 Q168300 Q166561 Q230646 Q181280 Q177544 Q179014 Q221551 Q178093 Q177534 Q183976 Q127730 Q182307
Q182827 Q194145 Q111857 Q174890 Q241482 Q227142 Q253029 Q99716 Q194905 Q190555 Q166499 Q266711 Q193035
Q176477 Q183818 Q159188 Q176455 Q115438 Q246051 Q272672 Q140962 Q176440 Q263709 Q197058 Q196663 Q257264
Q160534 Q115490 Q178758 Q189587 Q93080 Q271600 Q184624 Q184992 Q228743 Q193761 Q192594 Q269611 Q200032
Q184993 Q152891 Q246881 Q220882 Q241462 Q156728 Q248056 Q231974 Q177793 Q254893 Q289854 Q192939 Q178378
Q267245 Q182821 Q169781 Q152165 Q151785 Q164840 Q182010 Q191267 Q251441 Q195038 Q149029 Q152949 Q216474
Q113824 Q186580 Q188819 Q153940 Q277831 Q176952 Q101934 Q217195 Q151792 Q202178 Q295812 Q223772 Q212788
Q234745 Q212759 Q176375 Q168556 Q294947 Q190275 Q166045 Q168465 Q233164 Q168670 Q181186 Q164695 Q197289
Q193760 Q184542 Q182406 Q184051 Q194750 Q152940 Q228725 Q237182 Q151669 Q151791 Q256187 Q191773 Q269234
Q174102 Q279320 Q155036 Q190709 Q263714 Q282780 Q146669 Q271545 Q161711 Q131988 Q128443 Q152903 Q121733
Q185330 Q166581 Q153487 Q192697 Q174732 Q197255 Q168077 Q154053 Q217040 Q212773 Q219030 Q157689 Q175360
Q157007 Q247182 Q222186 Q274786 Q249884 Q193535 Q249878 Q221429 Q156729 Q196892 Q183706 Q151782 Q152424
Q179996 Q157712 Q286650 Q241213 Q166654 Q178436 Q176127 Q175447 Q164850 Q262303 Q230498 Q260247 Q262124
Q177862 Q164836 Q176489 Q128627 Q169299
"""


def tests():
    """Every test of the tree, and those of the suite Regress with their place."""
    every, regress = set(), {}
    for folder, folders, names in os.walk(os.path.join(ROOT, "tests")):
        folders[:] = [name for name in folders if name != "corpus"]
        for name in names:
            if not name.endswith((".cpp", ".h")):
                continue
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            for match in TEST.finditer(text):
                test = f"{match.group(1)}.{match.group(2)}"
                every.add(test)
                if match.group(1) == "Regress":
                    line = text.count("\n", 0, match.start()) + 1
                    regress[test] = f"{os.path.relpath(path, ROOT)}:{line}"
    return every, regress


def rows():
    with open(os.path.join(ROOT, TABLE), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if re.match(r"\| Q\d", line):
                yield number, [cell.strip() for cell in line.strip().strip("|").split("|")]


def main():
    every, regress = tests()
    faults, named, articles, left = [], set(), set(), 0
    for number, cells in rows():
        place = f"{TABLE}:{number}"
        if len(cells) != 3 or not all(cells):
            faults.append(f"{place}: a row has articles, a rule, and tests or a reason")
            continue
        articles.update(re.findall(r"Q\d+", cells[0]))
        mentioned = NAMED.findall(cells[2])
        named.update(mentioned)
        faults += [f"{place}: there is no test {test}" for test in mentioned if test not in every]
        left += cells[2].startswith("open")
    faults += [f"{place}: {test} is not in {TABLE}" for test, place in sorted(regress.items()) if test not in named]
    faults += [f"{TABLE}:1: {article} is missing" for article in LISTED.split() if article not in articles]
    print("\n".join(faults) if faults else f"clean, {left} rows open")
    return 1 if faults else 0


sys.exit(main())
