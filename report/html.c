/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes into a stream over memory; nothing touches the disk until the end.
 */
#include "report/html.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

struct html {
	FILE *out;
	char *text;
	size_t size;
};

static const char style[] =
	":root{--ink:#1c2126;--soft:#5a6570;--line:#dfe4e8;--page:#fff;--tint:#f5f7f9;"
	"--accent:#0072b2}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5b0;--line:#343b43;"
	"--page:#16191d;--tint:#1f242a;--accent:#56b4e9}}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:62rem;padding:2.5rem 1.25rem 5rem;color:var(--ink);"
	"background:var(--page);font:16px/1.55 system-ui,'Segoe UI',Roboto,sans-serif}"
	"h1{font-size:2rem;line-height:1.2;margin:0 0 .3rem}"
	"h2{font-size:1.35rem;margin:2.8rem 0 .6rem;padding-top:.8rem;border-top:1px solid "
	"var(--line)}h3{font-size:1.08rem;margin:1.8rem 0 .4rem}"
	".subtitle{color:var(--soft);margin:0 0 1.5rem}"
	".note{background:var(--tint);border-left:4px solid var(--accent);padding:.7rem 1rem;"
	"margin:1rem 0}"
	".scroll{overflow-x:auto}table{border-collapse:collapse;margin:.8rem 0;font-size:.93rem;"
	"font-variant-numeric:tabular-nums}caption{text-align:left;color:var(--soft);"
	"padding:.3rem 0;caption-side:bottom;"
	/* As wide as the page, not as the table, which may have to be scrolled. */
	"position:sticky;left:0;max-width:min(100vw - 2.5rem,59.5rem)}"
	"th,td{padding:.32rem .75rem;border-bottom:1px solid var(--line);text-align:right;"
	"white-space:nowrap}th:first-child,td:first-child{text-align:left;padding-left:0}"
	"thead th{color:var(--soft);font-weight:600;vertical-align:bottom}"
	"figure{margin:1.4rem 0}figure svg{width:100%;height:auto;background:#fff;"
	"border:1px solid var(--line);border-radius:6px}"
	"figcaption{color:var(--soft);font-size:.92rem}a{color:var(--accent)}"
	"pre{background:var(--tint);padding:.8rem 1rem;overflow-x:auto;font-size:.87rem;"
	"border-radius:6px}summary{cursor:pointer;font-weight:600}";

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_element(struct html *html, const char *tag, const char *attributes,
			const char *text)
{
	fprintf(html->out, "<%s%s>", tag, attributes);
	put_escaped(html->out, text);
	fprintf(html->out, "</%s>\n", tag);
}

static void put_formatted(struct html *html, const char *attributes, const char *format,
			  va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		return;
	put_element(html, "p", attributes, text);
	free(text);
}

struct html *html_open(const char *title, const char *subtitle)
{
	struct html *html = calloc(1, sizeof(*html));

	if (html)
		html->out = open_memstream(&html->text, &html->size);
	if (html == NULL || html->out == NULL) {
		free(html);
		return NULL;
	}
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
	      html->out);
	put_element(html, "title", "", title);
	fprintf(html->out, "<style>%s</style>\n</head>\n<body>\n", style);
	put_element(html, "h1", "", title);
	put_element(html, "p", " class=\"subtitle\"", subtitle);
	return html;
}

void html_section(struct html *html, const char *heading)
{
	put_element(html, "h2", "", heading);
}

void html_subsection(struct html *html, const char *heading)
{
	put_element(html, "h3", "", heading);
}

void html_paragraph(struct html *html, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_formatted(html, "", format, arguments);
	va_end(arguments);
}

void html_note(struct html *html, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_formatted(html, " class=\"note\"", format, arguments);
	va_end(arguments);
}

void html_verbatim(struct html *html, const char *text)
{
	put_element(html, "pre", "", text);
}

void html_table_begin(struct html *html, const char *caption, const char *const *columns,
		      size_t count)
{
	fputs("<div class=\"scroll\"><table>\n", html->out);
	put_element(html, "caption", "", caption);
	fputs("<thead><tr>", html->out);
	for (size_t i = 0; i < count; i++)
		put_element(html, "th", "", columns[i]);
	fputs("</tr></thead>\n<tbody>\n", html->out);
}

void html_table_row(struct html *html, const char *const *cells, size_t count)
{
	fputs("<tr>", html->out);
	for (size_t i = 0; i < count; i++)
		put_element(html, "td", "", cells[i]);
	fputs("</tr>\n", html->out);
}

void html_table_end(struct html *html)
{
	fputs("</tbody></table></div>\n", html->out);
}

/* gnuplot names parts of its pictures; several in one page must not share names. */
static void put_svg(struct html *html, const char *svg)
{
	const char *start = strstr(svg, "<svg");
	static const char name[] = "gnuplot_plot_";
	const char *from = start ? start : svg;

	for (;;) {
		const char *hit = strstr(from, " id=\"");
		const char *end = hit ? strchr(hit + 5, '"') : NULL;

		if (end == NULL)
			break;
		if (strncmp(hit + 5, name, sizeof(name) - 1) != 0) {
			fwrite(from, 1, (size_t)(end + 1 - from), html->out);
		} else {
			fwrite(from, 1, (size_t)(hit - from), html->out);
		}
		from = end + 1;
	}
	fputs(from, html->out);
}

void html_figure(struct html *html, const char *svg_path, const char *csv_link,
		 const char *caption)
{
	char *svg = NULL;
	size_t size;

	fputs("<figure>\n", html->out);
	if (file_read_all(svg_path, &svg, &size, NULL) == 0)
		put_svg(html, svg);
	free(svg);
	fputs("<figcaption>", html->out);
	put_escaped(html->out, caption);
	fputs(" <a href=\"", html->out);
	put_escaped(html->out, csv_link);
	fputs("\">data</a></figcaption>\n</figure>\n", html->out);
}

void html_details_begin(struct html *html, const char *heading)
{
	fputs("<details>", html->out);
	put_element(html, "summary", "", heading);
}

void html_details_end(struct html *html)
{
	fputs("</details>\n", html->out);
}

int html_close(struct html *html, const char *path, struct error *error)
{
	int code = 0;

	if (path)
		fputs("</body>\n</html>\n", html->out);
	if (fclose(html->out))
		code = error_set(error, ERR_NO_MEMORY, "out of memory for the report");
	if (code == 0 && path)
		code = file_write_all(path, html->text, html->size, error);
	free(html->text);
	free(html);
	return code;
}
