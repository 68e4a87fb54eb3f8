// What Tomcat's servlets read of a request (Spring reads through them). Usage: java -cp JARS Read.java PORT
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.servlet.MultipartConfigElement;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.Part;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamReader;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

public class Read {
    static class Reader extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            List<String> found = new ArrayList<>();
            String type = request.getContentType() == null ? "" : request.getContentType().toLowerCase();
            if (type.contains("xml")) readDocument(request, found);
            if (type.contains("json")) readJson(request, found);
            try {
                if (type.startsWith("multipart/form-data"))
                    for (Part part : request.getParts()) {
                        found.add(part.getName());
                        if (part.getSubmittedFileName() != null) found.add(part.getSubmittedFileName());
                    }
            } catch (Exception unreadable) {
                // Parameters may be readable all the same.
            }
            try {
                request.getParameterMap().forEach((name, values) -> {
                    found.add(name);
                    found.addAll(List.of(values));
                });
            } catch (IllegalStateException unreadable) {
                // Tomcat refuses some bodies whole.
            }
            if (request.getCookies() != null)
                for (Cookie cookie : request.getCookies()) {
                    found.add(cookie.getName());
                    found.add(cookie.getValue());
                }
            response.setContentType("application/json");
            response.getOutputStream().write(json(found).getBytes(StandardCharsets.UTF_8));
        }
    }

    static void readDocument(HttpServletRequest request, List<String> found) throws IOException {
        byte[] body = request.getInputStream().readAllBytes();
        XMLInputFactory factory = XMLInputFactory.newInstance();
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        try {
            XMLStreamReader reader = factory.createXMLStreamReader(new ByteArrayInputStream(body));
            while (reader.hasNext()) {
                int event = reader.next();
                if (event == XMLStreamReader.CHARACTERS || event == XMLStreamReader.CDATA) found.add(reader.getText());
                if (event != XMLStreamReader.START_ELEMENT) continue;
                found.add(reader.getLocalName());
                for (int index = 0; index < reader.getAttributeCount(); index++)
                    found.add(reader.getAttributeValue(index));
            }
        } catch (Exception unreadable) {
            // What was read before the mistake counts.
        }
    }

    static void readJson(HttpServletRequest request, List<String> found) throws IOException {
        try {
            readJson(new ObjectMapper().readTree(request.getInputStream().readAllBytes()), found);
        } catch (JsonProcessingException unreadable) {
            // Nothing was read.
        }
    }

    static void readJson(JsonNode node, List<String> found) {
        if (node.isTextual()) found.add(node.textValue());
        node.fieldNames().forEachRemaining(found::add);
        node.forEach(inner -> readJson(inner, found));
    }

    static String json(List<String> texts) {
        StringBuilder out = new StringBuilder("[");
        for (String text : texts) {
            if (out.length() > 1) out.append(',');
            out.append('"');
            for (char letter : text.toCharArray())
                if (letter < ' ' || letter == '"' || letter == '\\' || letter > '~')
                    out.append(String.format("\\u%04x", (int) letter));
                else out.append(letter);
            out.append('"');
        }
        return out.append(']').toString();
    }

    public static void main(String[] args) throws Exception {
        java.util.logging.LogManager.getLogManager().reset();
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(args[1]);
        tomcat.setPort(Integer.parseInt(args[0]));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        Context context = tomcat.addContext("", new File(args[1]).getAbsolutePath());
        Tomcat.addServlet(context, "read", new Reader()).setMultipartConfigElement(new MultipartConfigElement(args[1]));
        context.addServletMappingDecoded("/", "read");
        tomcat.start();
        tomcat.getServer().await();
    }
}
