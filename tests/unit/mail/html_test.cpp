#include <algorithm>

#include <gtest/gtest.h>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

TEST(Html, ToText) {
    const std::pair<const char*, const char*> cases[] = {
        {"", ""},
        {"plain", "plain\n"},
        {"a  b\n c", "a b c\n"},
        {"<p>one</p><p>two</p>", "one\n\ntwo\n"},
        {"a<br>b<br/><br>c", "a\nb\n\nc\n"},
        {"<div>a</div><div>b</div>", "a\nb\n"},
        {"<ul><li>a<li>b<ul><li>c</ul></ul>d", "* a\n* b\n  * c\n\nd\n"},
        {"<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b\n"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc\n"},
        {"<a href='http://x/y'>link</a> z", "link [1] z\n\n[1] http://x/y\n"},
        {"<a href=http://x/>http://x/</a>", "http://x/\n"},
        {"<a href='https://x'>x</a>", "x\n"},
        {"<a href='mailto:a@b'>a@b</a>", "a@b\n"},
        {"<a href='#top'>top</a><a href='javascript:x()'>js</a>", "topjs\n"},
        {"<a href='http://x'>a</a> <a href='http://x'>b</a>", "a [1] b [1]\n\n[1] http://x\n"},
        {"&lt;b&gt; &amp;amp; &eacute;&#233;&#xE9; &#150; &unknown; &copy", "<b> &amp; ééé – &unknown; ©\n"},
        {"?a=1&region=2&lang=x", "?a=1&region=2&lang=x\n"},
        {"<style>x{}</style><script>if (a<b) {}</script>t<!-- no --><![if x]>u", "tu\n"},
        {"<title>T</title>body", "body\n"},
        {"<script>never closed", "never closed\n"},
        {"<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc\n"},
        {"<blockquote>q<br>r</blockquote>s", "> q\n> r\n\ns\n"},
        {"<img alt='Logo'><img src=x>", "[Logo]\n"},
        {"1 < 2 <3 > 0 <", "1 < 2 <3 > 0 <\n"},
        {"a<b", "a<b\n"},
        {"<a title='x>y' href='http://q'>t</a>", "t [1]\n\n[1] http://q\n"},
        {"<p title=\"open>a</p>b", "a\n\nb\n"},
        {"<hr>x", "----------------------------------------\nx\n"},
        {"a&nbsp;&nbsp;b", "a  b\n"},
        {"<h1>Title</h1>x", "Title\n=====\n\nx\n"},
        {"<h3>T</h3>x", "T\n\nx\n"},
        {"<!-- open > a", "a\n"},
        {"&#0;&#x110000;&#99999999999;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n"},
    };
    for (const auto& [in, want] : cases) EXPECT_EQ(htmlToText(in), want) << in;
}

// Each of these was, or could be, quadratic; a megabyte of it takes well under a second when it is not.
TEST(Html, LinearOnHostileInput) {
    for (const char* piece : {"<",
                              "<a ",
                              "<a \"",
                              "<a b=\"",
                              "<!--",
                              "<script>",
                              "&",
                              "&a",
                              "</",
                              "<ul>",
                              "<blockquote>x",
                              "<a href=http://x",
                              "<li>",
                              "<br>",
                              "<b>",
                              "<a href='http://x'>y",
                              "<table><tr><td>x",
                              "<title>",
                              "<pre>\n",
                              "<!",
                              "<?",
                              "<img alt='",
                              "&#",
                              "<ol><li>x"}) {
        std::string html;
        while (html.size() < 1000000) html += piece;
        EXPECT_LT(htmlToText(html).size(), 8 * html.size()) << piece;
    }
}

// Every tag ends inside of a quote, so each went to the end for the quote that nothing closes.
TEST(Html, LinearWithAQuoteThatIsOpenAtTheEnd) {
    std::string html;
    while (html.size() < 3000000) html += "<a x=\">\"";
    const std::string open = html + "<a y=\"";
    EXPECT_EQ(htmlToText(open), open + "\n") << "no tag at all: nothing of it is lost";
    EXPECT_EQ(htmlToText("<a x=\">\" y=\"b>c"), "c\n");
}

// A cell of all rows, of many lines: they go beside the rows one by one, and all of them come.
TEST(Html, ARowspanOfManyLinesIsLinear) {
    std::string html = "<table><tr><td rowspan=1900>";
    for (int i = 0; i < 60000; ++i) html += "x<br>";
    html += "<td>first";
    for (int i = 1; i < 1900; ++i) html += "<tr><td>y";
    const std::string text = htmlToText(html + "</table>");
    EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 60000);
    EXPECT_EQ(std::count(text.begin(), text.end(), 'y'), 1899);
}

// Headers that are no short labels, or stand above nothing, are text that must not be lost.
TEST(Html, LongHeadersOfATableAreNotCut) {
    const std::string tall = "1<br>2<br>3<br>4<br>5<br>6<br>7<br>8<br>9<br>10<br>11<br>12<br>13<br>14";
    const std::string head(70, 'h');
    EXPECT_NE(htmlToText("<table><tr><th>" + head + "<th>b<tr><td>" + tall + "<td>y</table>").find(head),
              std::string::npos);
    const std::string above = htmlToText("<table><tr><th>left<th>right<tr><td>" + tall + "<td></td></table>");
    EXPECT_NE(above.find("right"), std::string::npos) << above;
    const std::string kept = htmlToText("<table><tr><th>left<th>right<tr><td>" + tall + "<td>y</table>");
    EXPECT_NE(kept.find("right: y"), std::string::npos) << kept;
}

TEST(Html, Lists) {
    const std::pair<const char*, const char*> cases[] = {
        {"<ul><li><p>a</p><p>b</p></li><li>c</li></ul>", "* a\n\n  b\n* c\n"},
        {"<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n   * b\n2. c\n"},
        {"x<ul><li>a</ul>y", "x\n\n* a\n\ny\n"},
        {"<ul><ul><li>a</ul></ul>", "  * a\n"},
        {"<li>no list</li>", "* no list\n"},
        {"<dl><dt>t<dd>d<dt>u<dd>e</dl>f", "t\n    d\nu\n    e\n\nf\n"},
        {"<ul><li>one two three four five six seven eight nine ten eleven twelve thirteen fourteen</ul>",
         "* one two three four five six seven eight nine ten eleven twelve\n  thirteen fourteen\n"},
    };
    for (const auto& [in, want] : cases) EXPECT_EQ(htmlToText(in), want) << in;
}

TEST(Html, Quotations) {
    const std::pair<const char*, const char*> cases[] = {
        {"a<blockquote>b<blockquote>c</blockquote>d</blockquote>e", "a\n\n> b\n>\n>> c\n>\n> d\n\ne\n"},
        {"<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b\n"},
        {"<blockquote>one two three four five six seven eight nine ten eleven twelve thirteen "
         "14</blockquote>",
         "> one two three four five six seven eight nine ten eleven twelve\n> thirteen 14\n"},
        {"<blockquote style='margin:0 0 0 40px; border:none'>moved</blockquote>a", "    moved\na\n"},
        {"<blockquote>never closed", "> never closed\n"},
        {"</blockquote>a", "a\n"},
    };
    for (const auto& [in, want] : cases) EXPECT_EQ(htmlToText(in), want) << in;
}

TEST(Html, WhatABrowserHides) {
    const std::pair<const char*, const char*> cases[] = {
        {"<div style='display:none'>no <div>no</div> no</div>yes", "yes\n"},
        {"<span style=\"DISPLAY : NONE !important\">no</span>yes", "yes\n"},
        {"<div style='max-height:0;overflow:hidden'>no</div>yes", "yes\n"},
        {"<p hidden>no<p>yes", "yes\n"},
        {"<div style='opacity:0.9'>yes</div>", "yes\n"},
        {"<table><tr style='display:none'><td>no<table><tr><td>no</table><td>no<tr><td>yes</table>", "yes\n"},
        // The last declaration counts, or the last important one.
        {"<p style='display:none;display:block'>yes", "yes\n"},
        {"<p style='display:none!important;display:block'>no<p>yes", "yes\n"},
        {"<p style='display:block;display: none '>no<p>yes", "yes\n"},
        {"<p style='background:url(\"a;display:none\")'>yes", "yes\n"},
        {"<p style='--x:display:none'>yes<p style='mso-display:none'> too", "yes\n\ntoo\n"},
        {"<div style='max-height:0'>yes, it flows over</div>", "yes, it flows over\n"},
        {"<p style='opacity:0.0'>no<p style='opacity:.05'>yes<p style='opacity:0%'>no</p>", "yes\n"},
        // A page that fades in.
        {"<body style='opacity:0;transition:opacity 1s'>Hello</body>", "Hello\n"},
        {"<html style='display:none'><body style='visibility:hidden'>Hello", "Hello\n"},
        {"<div style='visibility:hidden'>no<p style='visibility:visible'>yes</p>no</div> after",
         "yes\n\nafter\n"},
        {"<div style='visibility:hidden'>no<b style='visibility:visible'>yes<i "
         "style='visibility:hidden'>no</i>"
         " too</b>no</div>",
         "yes too\n"},
        {"<div style='display:none'>no<p style='visibility:visible'>no</p></div>yes", "yes\n"},
        // Nothing would be left.
        {"<div style='display:none'>said</div>", "said\n"},
        {"<div style='display:none'>said</div>&nbsp;<img src=a.png alt=''>", "said\n"},
        {"<div style='display:none'>never closed, so not lost", "never closed, so not lost\n"},
        {"a<img src=t.gif width=1 height=1 alt=pixel>b", "ab\n"},
        {"<!--[if mso]>no<![endif]-->yes<!--[if !mso]><!--> too<!--<![endif]-->", "yes too\n"},
        {"a &zwnj;&nbsp;&shy;&#847; &zwnj;&nbsp;", "a\n"},
        {"<p>a</p><p>&nbsp;</p><p>&nbsp;</p><p>b</p>", "a\n\nb\n"},
    };
    for (const auto& [in, want] : cases) EXPECT_EQ(htmlToText(in), want) << in;
}

TEST(Html, Links) {
    const std::pair<const char*, const char*> cases[] = {
        {"<a href='https://www.x.example/'>x.example</a>", "x.example\n"},
        {"<a href='http://x'><img alt='Logo'></a>", "[Logo] [1]\n\n[1] http://x\n"},
        {"<a href='http://x'><img src=a.png></a>", "[image] [1]\n\n[1] http://x\n"},
        {"<a href='http://x'><img src=a.png alt=''></a>a", "a\n"},
        {"<a href='http://x'><div>block</div></a>after", "block [1]\nafter\n\n[1] http://x\n"},
        {"<a href='tel:+49123'>call</a> <a href='tel:+49123'>+49123</a>",
         "call [1] +49123\n\n[1] tel:+49123\n"},
        {"<a href='file://server/a.doc'>plan</a>", "plan [1]\n\n[1] file://server/a.doc\n"},
        {"<a href='mailto:a@b'>Anna</a>", "Anna [1]\n\n[1] a@b\n"},
        {"<a href='http://evil'>http://good</a>", "http://good [1]\n\n[1] http://evil\n"},
        {"<a href='http://x/&#10;y'>t</a>", "t [1]\n\n[1] http://x/ y\n"},
    };
    for (const auto& [in, want] : cases) EXPECT_EQ(htmlToText(in), want) << in;
}

TEST(Html, TablesOfData) {
    EXPECT_EQ(
        htmlToText("<table><tr><th>Item<th>Price</tr><tr><td>Tea<td>3.50</tr><tr><td>Coffee beans<td>12.00"
                   "<tr><td>Sum<td>15.50</table>after"),
        "Item          Price\n------------  -----\nTea            3.50\nCoffee beans  12.00\n"
        "Sum           15.50\n\nafter\n");
    // Columns and rows that are only there for room.
    EXPECT_EQ(htmlToText("<table><tr><td>a<td>&nbsp;<td>b<tr><td><td><td><tr><td>c<td><td>d</table>"),
              "a  b\n\nc  d\n");
    EXPECT_EQ(
        htmlToText("<table><tr><td colspan=2>Title over all of it<tr><td>a<td>b<tr><td>cc<td>d</table>"),
        "Title over all of it\na   b\ncc  d\n");
    EXPECT_EQ(htmlToText("<table><tr><td rowspan=2>two<br>rows<td>a<tr><td>b</table>"), "two   a\nrows  b\n");
    EXPECT_EQ(htmlToText("<table><tr><td>from<br>to<td><br>gate 7</table>"), "from\nto    gate 7\n");
    EXPECT_EQ(htmlToText("<table><caption>C</caption><tr><td>日本<td>b<tr><td>c<td>d</table>"),
              "C\n\n日本  b\nc     d\n");
}

TEST(Html, TablesThatDoNotFit) {
    const std::string words = "word word word word word word word word word word word word";
    EXPECT_EQ(htmlToText("<table><tr><td>a<td>" + words + " end<tr><td>b<td>short</table>"),
              "a  word word word word word word word word word word word word end\nb  short\n");
    EXPECT_EQ(htmlToText("<table><tr><td>a<td>" + words + " " + words + "<tr><td>b<td>short</table>"),
              "a  word word word word word word word word word word word word word word\n"
              "   word word word word word word word word word word\n\nb  short\n");
    std::string wide = "<table><tr>", values = "<tr>";
    for (const char* column : {"Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta"}) {
        wide += std::string("<th>") + column + "</th>";
        values += "<td>" + std::string(11, column[0]) + "</td>";
    }
    EXPECT_EQ(htmlToText(wide + values + "</table>"),
              "Alpha: AAAAAAAAAAA\nBeta: BBBBBBBBBBB\nGamma: GGGGGGGGGGG\nDelta: DDDDDDDDDDD\n"
              "Epsilon: EEEEEEEEEEE\nZeta: ZZZZZZZZZZZ\nEta: EEEEEEEEEEE\n");
    // Columns of a newsletter: one under the other.
    const std::string story = words + " " + words + " " + words + " " + words + " " + words;
    EXPECT_EQ(htmlToText("<table><tr><td>" + story + "<td>" + story + "</table>"),
              story + "\n\n" + story + "\n");
}

TEST(Html, TablesAreMeasuredAsTheTargetWritesThem) {
    const std::string prices = "<table><tr><td>Tea<td>1 \u20ac<td>x<tr><td>Coffee<td>12 \u20ac<td>y</table>";
    EXPECT_EQ(htmlToText(prices), "Tea      1 \u20ac  x\nCoffee  12 \u20ac  y\n");
    EXPECT_EQ(htmlToText(prices, {"cp437", 0}), "Tea      1 \u20ac  x\nCoffee  12 \u20ac  y\n")
        << "equal ones stay in line";
    const std::string mixed = "<table><tr><td>1 \u20ac<td>x<tr><td>1 USD<td>y</table>";
    EXPECT_EQ(htmlToText(mixed, {"cp437", 0}), "1 \u20ac  x\n1 USD  y\n") << "EUR has three columns";
    EXPECT_EQ(htmlToText(mixed, {"cp1252", 0}), "  1 \u20ac  x\n1 USD  y\n");
    EXPECT_EQ(htmlToText(mixed, {"shift_jis", 0}), "1 \u20ac  x\n1 USD  y\n");
}

TEST(Html, TablesKeepToTheColumnsOfTheTarget) {
    std::string row;
    for (int i = 0; i < 6; ++i) row += "<td>" + std::string(5, 'a') + " \u20ac\u20ac";
    const std::string table = "<table><tr>" + row + "<tr>" + row + "</table>";  // 58 columns, or 82 with EUR
    for (const char* charset : {"utf-8", "cp437", "us-ascii", "iso-2022-jp"})
        for (const int columns : {40, 64, 72, 80}) {
            const std::string text = htmlToText(table, {charset, columns});
            for (const std::string_view line : split(text, '\n')) {
                const std::string written = fromUtf8(line, charset).bytes;
                EXPECT_LE(displayColumns(toUtf8(written, charset)), columns) << charset << "\n" << text;
            }
        }
}

TEST(Html, BrokenTables) {
    EXPECT_EQ(htmlToText("<td>a<td>b"), "a\nb\n");
    EXPECT_EQ(htmlToText("</table></td></tr>a"), "a\n");
    EXPECT_EQ(htmlToText("<table>a<tr>b<td>c</table>d"), "a\nb\n\nc\n\nd\n");
    EXPECT_EQ(htmlToText("<table><tr><td><ul><li>a</td><td>b</table>c"), "* a  b\nc\n");
    EXPECT_EQ(htmlToText("<table><tr><td colspan=-3 rowspan=x>a<td colspan=99999999999>b</table>"), "a  b\n");
}

// However deep and wide, memory and time stay in proportion.
TEST(Html, ManyCellsAndDeepTables) {
    std::string deep, broad, rows;
    for (int i = 0; i < 20000; ++i) {
        deep += "<table><tr><td>x";
        broad += "<td>y";
        rows += "<tr><td>1<td>2";
    }
    const std::string text = htmlToText(deep);
    EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 20000);
    const std::string wide = htmlToText("<table><tr>" + broad);
    EXPECT_EQ(std::count(wide.begin(), wide.end(), 'y'), 20000);
    EXPECT_EQ(htmlToText("<table>" + rows).size(), 20000U * 5);
}

}  // namespace
}  // namespace postern::mail
