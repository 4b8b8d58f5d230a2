#include "mail/charset_names.h"

namespace postern::mail {
namespace {

constexpr CharsetName kCharsets[] = {
    {"UTF-8", false, " utf-8 utf8 unicode-1-1-utf-8 cp65001 x-utf-8 "},
    {"US-ASCII", true, " us-ascii ascii ansi_x3.4-1968 ansi_x3.4-1986 iso646-us iso-646-us 646 us cp367 "},
    {"ISO-8859-1", true,
     " iso-8859-1 iso8859-1 iso_8859-1 iso_8859-1:1987 latin1 latin-1 l1 cp819 ibm819 8859-1 8859_1 "
     "csisolatin1 "},
    {"ISO-8859-2", true,
     " iso-8859-2 iso8859-2 iso_8859-2 iso_8859-2:1987 latin2 latin-2 l2 8859-2 csisolatin2 "},
    {"ISO-8859-3", true, " iso-8859-3 iso8859-3 iso_8859-3 latin3 latin-3 l3 csisolatin3 "},
    {"ISO-8859-4", true, " iso-8859-4 iso8859-4 iso_8859-4 latin4 latin-4 l4 csisolatin4 "},
    {"ISO-8859-5", true,
     " iso-8859-5 iso8859-5 iso_8859-5 iso_8859-5:1988 cyrillic 8859-5 csisolatincyrillic "},
    {"ISO-8859-6", true,
     " iso-8859-6 iso8859-6 iso_8859-6 iso-8859-6-i iso-8859-6-e arabic ecma-114 asmo-708 csisolatinarabic "},
    {"ISO-8859-7", true,
     " iso-8859-7 iso8859-7 iso_8859-7 greek greek8 elot_928 ecma-118 sun_eu_greek csisolatingreek "},
    {"ISO-8859-8", true,
     " iso-8859-8 iso8859-8 iso_8859-8 iso-8859-8-i iso-8859-8-e hebrew visual logical csisolatinhebrew "},
    {"ISO-8859-9", true, " iso-8859-9 iso8859-9 iso_8859-9 latin5 latin-5 l5 csisolatin5 "},
    {"ISO-8859-10", true, " iso-8859-10 iso8859-10 latin6 latin-6 l6 csisolatin6 "},
    {"ISO-8859-11", true, " iso-8859-11 iso8859-11 "},
    {"ISO-8859-13", true, " iso-8859-13 iso8859-13 latin7 l7 "},
    {"ISO-8859-14", true, " iso-8859-14 iso8859-14 latin8 l8 iso-celtic "},
    {"ISO-8859-15", true, " iso-8859-15 iso8859-15 iso_8859-15 latin9 latin-9 l9 csisolatin9 "},
    {"ISO-8859-16", true, " iso-8859-16 iso8859-16 latin10 l10 "},
    {"CP1250", true, " windows-1250 cp1250 cp-1250 x-cp1250 win1250 win-1250 "},
    {"CP1251", true, " windows-1251 cp1251 cp-1251 x-cp1251 win1251 win-1251 "},
    {"CP1252", true, " windows-1252 cp1252 cp-1252 x-cp1252 win1252 win-1252 x-ansi ansi "},
    {"CP1253", true, " windows-1253 cp1253 cp-1253 x-cp1253 win1253 "},
    {"CP1254", true, " windows-1254 cp1254 cp-1254 x-cp1254 win1254 "},
    {"CP1255", true, " windows-1255 cp1255 cp-1255 x-cp1255 win1255 "},
    {"CP1256", true, " windows-1256 cp1256 cp-1256 x-cp1256 win1256 "},
    {"CP1257", true, " windows-1257 cp1257 cp-1257 x-cp1257 win1257 baltic "},
    {"CP1258", true, " windows-1258 cp1258 cp-1258 x-cp1258 win1258 "},
    {"CP437", true, " cp437 ibm437 437 dos-437 oem437 cspc8codepage437 "},
    {"CP737", true, " cp737 ibm737 737 "},
    {"CP775", true, " cp775 ibm775 775 "},
    {"CP850", true, " cp850 ibm850 850 dos-850 cspc850multilingual "},
    {"CP852", true, " cp852 ibm852 852 "},
    {"CP855", true, " cp855 ibm855 855 "},
    {"CP857", true, " cp857 ibm857 857 "},
    {"CP858", true, " cp858 ibm858 ibm00858 858 "},
    {"CP860", true, " cp860 ibm860 860 "},
    {"CP861", true, " cp861 ibm861 861 "},
    {"CP862", true, " cp862 ibm862 862 "},
    {"CP863", true, " cp863 ibm863 863 "},
    {"CP865", true, " cp865 ibm865 865 "},
    {"CP866", true, " cp866 ibm866 866 dos-866 cp-866 csibm866 "},
    {"CP869", true, " cp869 ibm869 869 "},
    {"CP874", true, " cp874 windows-874 ibm874 874 dos-874 "},
    {"TIS-620", true, " tis-620 tis620 tis620.2533 "},
    {"KOI8-R", true, " koi8-r koi8r koi8 cskoi8r x-koi8-r "},
    {"KOI8-U", true, " koi8-u koi8u koi8-ru "},
    {"MACINTOSH", true,
     " macintosh mac x-mac-roman mac-roman macroman x-macroman x-macintosh x-mac csmacintosh "},
    {"MAC-CYRILLIC", true, " x-mac-cyrillic mac-cyrillic maccyrillic "},
    {"HP-ROMAN8", true, " hp-roman8 hproman8 roman8 r8 x-roman8 x-hp-roman8 cshproman8 "},
    {"ISO-2022-JP", false, " iso-2022-jp iso2022-jp csiso2022jp iso-2022-jp-1 "},
    {"ISO-2022-JP-2", false, " iso-2022-jp-2 csiso2022jp2 "},
    {"CP932", false,
     " shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cp932 csshiftjis cswindows31j ms932 x-ms-cp932 "
     "932 "},
    {"EUC-JP", false, " euc-jp eucjp x-euc-jp x-euc x-eucjp cseucpkdfmtjapanese "},
    {"ISO-2022-KR", false, " iso-2022-kr iso2022-kr csiso2022kr "},
    {"CP949", false,
     " euc-kr euckr ks_c_5601-1987 ks_c_5601 ksc5601 ksc_5601 korean ks_c_5601-1989 cp949 windows-949 ms949 "
     "uhc cseuckr csksc56011987 949 "},
    {"GBK", false,
     " gb2312 gbk gb_2312-80 gb_2312 euc-cn x-gbk chinese simplified_chinese cp936 ms936 windows-936 "
     "csgb2312 csiso58gb231280 936 "},
    {"GB18030", false, " gb18030 gb-18030 gb18030-2000 "},
    {"BIG5-HKSCS", false, " big5 big-5 big5-hkscs x-x-big5 cn-big5 chinesebig5 csbig5 "},
    {"CP950", false, " cp950 windows-950 950 ms950 "},
    {"UTF-16", false, " utf-16 utf16 "},
    {"UTF-16LE", false, " utf-16le "},
    {"UTF-16BE", false, " utf-16be "},
    {"CP774", true, " cp774 774 "},
    {"CP856", true, " cp856 ibm856 856 "},
    {"CP864", true, " cp864 ibm864 864 "},
    {"CP868", true, " cp868 ibm868 868 cp-ar "},
    {"CP921", true, " cp921 ibm921 921 "},
    {"CP922", true, " cp922 ibm922 922 "},
    {"CP1125", true, " cp1125 ibm1125 cp866u ruscii "},
    {"CP1133", true, " cp1133 ibm-cp1133 "},
    {"KOI8-T", true, " koi8-t "},
    {"PT154", true, " pt154 ptcp154 cyrillic-asian "},
    {"RK1048", true, " rk1048 kz-1048 strk1048-2002 "},
    {"ISO-IR-111", true, " iso-ir-111 ecma-cyrillic koi8-e "},
    {"VISCII", true, " viscii viscii1.1-1 csviscii "},
    {"ARMSCII-8", true, " armscii-8 armscii8 "},
    {"GEORGIAN-ACADEMY", true, " georgian-academy "},
    {"GEORGIAN-PS", true, " georgian-ps "},
    {"DEC-MCS", true, " dec-mcs dec csdecmcs "},
    {"HP-GREEK8", true, " hp-greek8 "},
    {"HP-ROMAN9", true, " hp-roman9 roman9 r9 "},
    {"HP-THAI8", true, " hp-thai8 thai8 "},
    {"HP-TURKISH8", true, " hp-turkish8 turkish8 "},
    {"MAC-CENTRALEUROPE", true,
     " x-mac-ce x-mac-centraleurroman x-mac-centraleurope mac-centraleurope macce "},
    {"MAC-IS", true, " x-mac-icelandic mac-is "},
    {"MAC-UK", true, " x-mac-ukrainian mac-uk mac-ukrainian "},
    {"MAC-SAMI", true, " mac-sami "},
    {"JOHAB", false, " johab cp1361 ms1361 x-johab "},
    {"EUC-TW", false, " euc-tw euctw x-euc-tw "},
    {"UTF-32", false, " utf-32 utf32 "},
    {"UTF-32LE", false, " utf-32le "},
    {"UTF-32BE", false, " utf-32be "},
};

}  // namespace

std::span<const CharsetName> charsetNames() {
    return kCharsets;
}

std::string_view libiconvName(std::string_view iconvName) {
    if (iconvName == "MAC-CYRILLIC") return "MacCyrillic";
    if (iconvName == "MAC-CENTRALEUROPE") return "MacCentralEurope";
    if (iconvName == "MAC-IS") return "MacIceland";
    if (iconvName == "MAC-UK") return "MacUkraine";
    return iconvName;
}

}  // namespace postern::mail
