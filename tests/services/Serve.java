import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/**
 * Each request fills an array of 3 MiB in the heap and lets it go: how much is kept at a time is the heap's to decide.
 * Sixteen of them fit in the smallest heap that Java makes, so that no request fails for want of memory, whatever the
 * number that the machine happens to run at the same time.
 */
public class Serve {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        HttpServer server = HttpServer.create(address, 64);
        server.setExecutor(Executors.newFixedThreadPool(32));
        server.createContext("/", exchange -> {
            float[] array = new float[3 * 256 * 1024];
            float sum = 0;
            for (int i = 0; i < array.length; i++) {
                array[i] = i;
                sum += array[i];
            }
            byte[] answer = Float.toString(sum).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        // It ends by itself where whoever started it is gone.
        Thread.sleep(600_000);
        System.exit(0);
    }
}
