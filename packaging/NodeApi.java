import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Stands in for the API server of a cluster in package-test.sh: writes each request to a file, a line each, and answers
 * 200, or 403 to a token that is not `right`. The first argument is that file, the second the one for the port.
 */
final class NodeApi {
  private NodeApi() {}

  public static void main(String[] args) throws Exception {
    Path log = Path.of(args[0]);
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> {
      var headers = exchange.getRequestHeaders();
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      Files.writeString(log, exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
          + headers.getFirst("Content-Type") + " " + body + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      boolean known = "Bearer right".equals(headers.getFirst("Authorization"));
      byte[] answer = (known ? "{}" : "{\"message\":\"not you\"}").getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(known ? 200 : 403, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    server.start();
    Path port = Path.of(args[1]);
    Files.writeString(port.resolveSibling(port.getFileName() + ".new"), "" + server.getAddress().getPort());
    Files.move(port.resolveSibling(port.getFileName() + ".new"), port);
  }
}
