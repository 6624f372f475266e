package io.loomshim.bench.loom;

import io.loomshim.bench.chart.Svg;
import io.loomshim.bench.figure.Side;

/** How the page of the comparison looks: on a phone, on a large screen, in the dark, and in print. */
final class LoomStyle {
  private LoomStyle() {}

  /** Name, light, dark, dashes. The colours can be told apart by the colour-blind, the dashes in black and white. */
  private static final String[][] KINDS = {
      {"virtual", "#0072b2", "#58a6ff", "none"}, {"platform", "#d55e00", "#f0883e", "7 3"},
      {"loop", "#b0005e", "#ff7bb0", "10 3"}, {"platformlean", "#9a4b00", "#d9a066", "7 3 2 3"},
      {"fixed64", "#007a5a", "#3fb950", "2 3"}, {"fixed512", "#4b6b00", "#a5c261", "2 5"},
      {"pinned", "#9b3d82", "#d68fc4", "8 3 2 3"},
      {"runc-v2-group", "#8a6d00", "#e3b341", "4 2"}, {"runc-v1", "#6e7781", "#9198a1", "1 2"}};

  private static final String PAGE = """
      :root{--card:#fff;--page:#f6f8fa;--ink:#1f2328;--dim:#59636e;--grid:#e4e8ec;--axis:#818b98;--edge:#d1d9e0@LIGHT@}
      @media(prefers-color-scheme:dark){:root{--card:#0d1117;--page:#010409;--ink:#f0f6fc;--dim:#9198a1;--grid:#262c36;
      --axis:#656c76;--edge:#3d444d@DARK@}}
      *{box-sizing:border-box}
      body{margin:0;background:var(--page);color:var(--ink);line-height:1.5;
      font:16px/1.5 -apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans','DejaVu Sans',Helvetica,Arial,sans-serif}
      main{max-width:1040px;margin:0 auto;padding:16px}
      h1{font-size:1.7em;line-height:1.2}h2{font-size:1.3em;margin:2em 0 .4em}h3{font-size:1em;margin:0 0 .3em}
      p,li{max-width:46em}code{font-size:.9em}
      .dim{color:var(--dim)}p,li{overflow-wrap:anywhere}
      .card{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:12px;margin:12px 0}
      .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(290px,1fr));gap:8px 16px}
      .key{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;margin:.5em 0}
      .key li{white-space:nowrap}.key svg{width:38px;height:12px;vertical-align:middle;margin-right:6px}
      .pair svg{width:100%;height:auto;display:block}
      .wide{overflow-x:auto;background:var(--card);border:1px solid var(--edge);border-radius:8px;margin:12px 0}
      table{border-collapse:collapse;font-size:.8em;width:100%}
      th,td{text-align:left;padding:5px 9px;border-bottom:1px solid var(--grid);vertical-align:top}
      td:nth-child(2){white-space:nowrap}td:last-child{min-width:7em}
      tr:first-child th{font-weight:600;vertical-align:bottom}
      th:first-child{position:sticky;left:0;background:var(--card);font-weight:500;min-width:9em}
      tr:last-child th,tr:last-child td{border-bottom:0}
      svg text{font:12px -apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans','DejaVu Sans',sans-serif;
      fill:var(--ink)}
      svg text.dim{fill:var(--dim)}svg text.small{font-size:11px}svg text.head{font-size:13px;font-weight:600}
      line{stroke-width:1}line.grid{stroke:var(--grid)}line.axis{stroke:var(--axis)}
      .path{fill:none;stroke-width:2.2;stroke-linejoin:round}.path.end{stroke-width:2.6}
      @media(max-width:600px){main{padding:12px}.card{padding:8px}table{font-size:.7em}th,td{padding:4px 6px}
      th:first-child{min-width:7em}td:nth-child(2){white-space:normal}td:last-child{min-width:4em}}
      @page{size:A4;margin:12mm}
      @media print{
      :root{--card:#fff;--page:#fff;--ink:#000;--dim:#444;--grid:#ddd;--axis:#666;--edge:#bbb@LIGHT@}
      body{font-size:10pt}main{max-width:none;padding:0}.card{break-inside:avoid;padding:6px;margin:6px 0}
      .pair{grid-template-columns:repeat(auto-fit,minmax(56mm,1fr))}
      .key{break-inside:avoid}.wide{overflow:visible;border:0}table{font-size:5.6pt}
      th,td{padding:1.5px 3px}th:first-child{position:static;min-width:6em}
      tr{break-inside:avoid}h2,h3,.key{break-after:avoid}
      td:last-child{min-width:0}a{color:inherit;text-decoration:none}}
      """;

  /** The style sheet, without its tags. */
  static String sheet() {
    var light = new StringBuilder();
    var dark = new StringBuilder();
    var rules = new StringBuilder();
    for (String[] kind : KINDS) {
      light.append(";--").append(kind[0]).append(':').append(kind[1]);
      dark.append(";--").append(kind[0]).append(':').append(kind[2]);
      for (Side side : Variants.ALL) {
        String name = "." + Svg.of(side);
        if (!name.equals("." + kind[0]) && !name.matches("\\." + kind[0] + "-[0-9]+")) {
          continue;
        }
        rules.append("circle").append(name).append("{fill:var(--").append(kind[0]).append(")}.path").append(name)
            .append("{stroke:var(--").append(kind[0]).append(");stroke-dasharray:").append(kind[3]).append("}\n");
      }
    }
    return PAGE.replace("@LIGHT@", light).replace("@DARK@", dark) + rules
        + ".path.path.end{stroke-dasharray:none}\n";
  }
}
