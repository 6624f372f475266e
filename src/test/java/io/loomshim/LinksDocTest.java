package io.loomshim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every relative link of a document leads to a file of the repository, and its anchor to a heading there. Anchors are
 * made of headings as GitHub makes them.
 */
class LinksDocTest {
  private static final Pattern FENCE = Pattern.compile("(?ms)^ *(```|~~~).*?^ *\\1 *$");
  private static final Pattern CODE = Pattern.compile("`[^`\n]*`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6} +(.+?) *#*$");
  private static final Pattern ELSEWHERE = Pattern.compile("[a-z]+:.*");

  private static List<Path> documents() throws IOException {
    var documents = new ArrayList<Path>();
    for (String root : List.of("docs", "findings", "packaging", "integration", "bench")) {
      try (Stream<Path> files = Files.walk(Path.of(root))) {
        files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
      }
    }
    try (Stream<Path> files = Files.list(Path.of("."))) {
      files.map(Path::normalize).filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
    }
    assertTrue(documents.size() > 50 && documents.contains(Path.of("README.md")), documents.toString());
    return documents;
  }

  /** The text without fenced blocks. */
  private static String prose(Path document) throws IOException {
    return FENCE.matcher(Files.readString(document)).replaceAll("");
  }

  private static Set<String> anchors(Path document) throws IOException {
    var anchors = new HashSet<String>();
    var headings = HEADING.matcher(prose(document));
    while (headings.find()) {
      String anchor = anchor(headings.group(1));
      for (int i = 1; !anchors.add(anchor); i++) {
        anchor = anchor(headings.group(1)) + "-" + i;
      }
    }
    return anchors;
  }

  static String anchor(String heading) {
    String text = heading.replaceAll("\\[([^]]*)\\]\\([^)]*\\)", "$1").toLowerCase(Locale.ROOT);
    return text.replaceAll("[^\\p{L}\\p{N}_ -]", "").replace(' ', '-');
  }

  @Test
  void everyRelativeLinkLeadsToAFileAndAHeading() throws Exception {
    var found = new ArrayList<String>();
    int links = 0;
    for (Path document : documents()) {
      var link = LINK.matcher(CODE.matcher(prose(document)).replaceAll("code"));
      while (link.find()) {
        String target = link.group(1);
        if (ELSEWHERE.matcher(target).matches()) {
          continue;
        }
        links++;
        String file = target.replaceFirst("#.*", "");
        Path path = file.isEmpty() ? document : Path.of("").resolve(document).resolveSibling(file).normalize();
        int hash = target.indexOf('#');
        if (path.startsWith("..") || !Files.exists(path)) {
          found.add(document + ": there is no " + target);
        } else if (hash >= 0 && !anchors(path).contains(target.substring(hash + 1))) {
          found.add(document + ": there is no heading for " + target);
        }
      }
    }
    assertTrue(links > 200, links + " links");
    assertEquals(List.of(), found);
  }

  @Test
  void anchorsAreMadeAsGitHubMakesThem() {
    assertEquals("the-tree-of-an-exec-kill_exec_treetrue", anchor("The tree of an exec (`kill_exec_tree=true`)"));
    assertEquals("where-are-the-logs", anchor("Where are the logs?"));
    assertEquals("2-configure-containerd", anchor("2. Configure containerd"));
  }

  /** A guide that no other page names is not found. */
  @Test
  void everyDocumentIsLinkedFromAnother() throws Exception {
    var linked = new HashSet<Path>();
    for (Path document : documents()) {
      var link = LINK.matcher(prose(document));
      while (link.find()) {
        Path target = document.resolveSibling(link.group(1).replaceFirst("#.*", "")).normalize();
        if (!target.equals(document)) {
          linked.add(target);
        }
      }
    }
    var alone = documents().stream().filter(document -> document.startsWith("docs") && !linked.contains(document))
        .map(Path::toString).sorted().toList();
    assertEquals(List.of(), alone);
  }
}
